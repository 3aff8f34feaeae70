// What the gateway and its helper for units in other network namespaces say to each other, one message each
// way a connection, over a Unix socket of type SOCK_SEQPACKET:
//
//     request   tuns (1 octet) | name of a network namespace (1 to 255 octets)
//     answer    error (4 octets, host order) | text
//
// An answer without error brings the descriptors of NamespaceFiles: netlink first, then as many tuns as were
// asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lacewing {

// One message takes 253 descriptors at most (SCM_MAX_FD).
inline constexpr uint32_t kMostTuns = 128;
inline constexpr size_t kMostRequestBytes = 1 + 255;
inline constexpr size_t kMostAnswerBytes = 512;

struct UnitRequest {
  uint32_t tuns;
  std::string netns;
};

// Whether it can only be the name of a file in a directory: no '/', no NUL, nothing that begins with a dot.
bool IsPlainName(std::string_view name);

std::vector<uint8_t> EmitUnitRequest(const UnitRequest& request);
// Nothing when it is none.
std::optional<UnitRequest> ParseUnitRequest(std::span<const uint8_t> octets);

}  // namespace lacewing
