#include "notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "errors.h"
#include "unique-fd.h"

namespace lacewing {

bool NotifyServiceManager(const std::string& state) {
  const char* given = std::getenv("NOTIFY_SOCKET");
  if (given == nullptr || *given == '\0') return false;
  const std::string path = given;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw SystemFailure(ENAMETOOLONG, "sendto", path);
  if (path[0] != '/' && path[0] != '@') throw SystemFailure(EAFNOSUPPORT, "sendto", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  // '@' stands for the NUL that an abstract name begins with; the name is not terminated by another
  if (path[0] == '@') address.sun_path[0] = '\0';
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());

  UniqueFd socket(Check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket", path));
  Check(sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
               length),
        "sendto", path);
  return true;
}

}  // namespace lacewing
