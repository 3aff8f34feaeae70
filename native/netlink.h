// rtnetlink sockets. The messages are made and read in TypeScript; here is only what ends an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "unique-fd.h"

namespace lacewing {

// In the namespace at `netnsPath` unless it is empty; joined to the multicast groups of the mask.
UniqueFd OpenNetlinkSocket(const std::string& netnsPath, uint32_t groups, int protocol);

// Is this one message, with the length that its header says?
bool IsNetlinkMessage(std::span<const uint8_t> octets);

// Sends a request and hands every message of the answer to `part`. Throws ETIMEDOUT when it is not complete in 1 s.
void Transact(int fd, std::span<const uint8_t> request, std::vector<uint8_t>& scratch,
              const std::function<void(std::span<const uint8_t>)>& part);

}  // namespace lacewing
