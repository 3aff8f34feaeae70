#include "listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "../errors.h"

namespace lacewing {

namespace {

// SD_LISTEN_FDS_START
constexpr int kFirstPassed = 3;
constexpr int kBacklog = 64;

bool IsVariable(const char* name, const std::string& value) {
  const char* there = std::getenv(name);
  return there != nullptr && there == value;
}

UniqueFd TakePassed() {
  if (!IsVariable("LISTEN_PID", std::to_string(getpid())) || !IsVariable("LISTEN_FDS", "1"))
    throw std::invalid_argument(
        "systemd has passed no socket (lacewing-units.socket), and there is no --socket");
  UniqueFd socket(kFirstPassed);
  int type = 0;
  socklen_t length = sizeof type;
  Check(getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &length), "getsockopt", "the passed socket");
  if (type != SOCK_SEQPACKET) throw SystemFailure(EPROTOTYPE, "getsockopt", "the passed socket");
  Check(fcntl(socket.get(), F_SETFD, FD_CLOEXEC), "fcntl", "the passed socket");
  return socket;
}

}  // namespace

UniqueFd OpenListener(const HelperOptions& options) {
  const std::string& path = options.socketPath;
  if (path.empty()) return TakePassed();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw SystemFailure(ENAMETOOLONG, "bind", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(Check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket", path));
  struct stat there;
  if (lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode))
    Check(unlink(path.c_str()), "unlink", path);
  // It is born the group's: chown() and chmod() would go by its name, which may be somebody else's file by
  // then where the directory is not ours alone.
  const gid_t group = getegid();
  Check(setegid(options.group), "setegid", path);
  const mode_t mask = umask(0117);
  const int bound = bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  const int refusal = errno;
  umask(mask);
  Check(setegid(group), "setegid", path);
  if (bound != 0) throw SystemFailure(refusal, "bind", path);
  Check(listen(socket.get(), kBacklog), "listen", path);
  return socket;
}

}  // namespace lacewing
