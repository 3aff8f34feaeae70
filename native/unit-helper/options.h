// The command line of the helper.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace lacewing {

struct HelperOptions {
  // whom it serves, and whose group may connect to a socket that it makes
  uid_t user;
  gid_t group;
  // where it listens; empty: systemd has the socket
  std::string socketPath;
  // the network namespaces that it enters; none: every one that has a name
  std::vector<std::string> namespaces;
};

// Throws a std::invalid_argument that says what is wrong with it.
HelperOptions ReadHelperOptions(int count, char* const* words);

}  // namespace lacewing
