// Runs something in another network namespace, without any thread of ours ever being there afterwards.
#pragma once

#include <functional>
#include <string>

namespace lacewing {

// Runs `body` at once when `path` is empty, else in a thread of its own that has entered the namespace at `path`
// and ends with it. What either throws is thrown here.
void InNetworkNamespace(const std::string& path, const std::function<void()>& body);

}  // namespace lacewing
