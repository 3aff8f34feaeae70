#include "unit-request.h"

#include <algorithm>

namespace lacewing {

bool IsPlainName(std::string_view name) {
  // printable, for the sake of whoever reads of it in a log; above 0x7f it may be UTF-8
  auto isPlain = [](unsigned char octet) { return octet > 0x20 && octet != 0x7f && octet != '/'; };
  return !name.empty() && name.size() < kMostRequestBytes && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), isPlain);
}

std::vector<uint8_t> EmitUnitRequest(const UnitRequest& request) {
  std::vector<uint8_t> octets(1 + request.netns.size());
  octets[0] = static_cast<uint8_t>(request.tuns);
  std::copy(request.netns.begin(), request.netns.end(), octets.begin() + 1);
  return octets;
}

std::optional<UnitRequest> ParseUnitRequest(std::span<const uint8_t> octets) {
  if (octets.empty() || octets[0] > kMostTuns) return std::nullopt;
  UnitRequest request{octets[0], std::string(octets.begin() + 1, octets.end())};
  if (!IsPlainName(request.netns)) return std::nullopt;
  return request;
}

}  // namespace lacewing
