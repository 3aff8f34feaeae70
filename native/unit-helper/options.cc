#include "options.h"

#include <getopt.h>
#include <pwd.h>

#include <stdexcept>

#include "../unit-request.h"

namespace lacewing {

namespace {

constexpr const char* kUsage = "usage: lacewing-units --user USER [--socket PATH] [NAMESPACE...]";

}  // namespace

HelperOptions ReadHelperOptions(int count, char* const* words) {
  static const option kLong[] = {
      {"user", required_argument, nullptr, 'u'}, {"socket", required_argument, nullptr, 's'}, {}};
  HelperOptions options{};
  bool hasUser = false;
  // it would say itself, less clearly, what is wrong
  opterr = 0;
  for (int each; (each = getopt_long(count, words, "", kLong, nullptr)) != -1;) {
    if (each == 'u') {
      const passwd* user = getpwnam(optarg);
      if (user == nullptr) throw std::invalid_argument("there is no user " + std::string(optarg));
      options.user = user->pw_uid;
      options.group = user->pw_gid;
      hasUser = true;
    } else if (each == 's') {
      options.socketPath = optarg;
    } else {
      throw std::invalid_argument(kUsage);
    }
  }
  if (!hasUser) throw std::invalid_argument(kUsage);
  for (int i = optind; i < count; i++) {
    if (!IsPlainName(words[i]))
      throw std::invalid_argument("\"" + std::string(words[i]) + "\" is not the name of a network namespace");
    options.namespaces.emplace_back(words[i]);
  }
  return options;
}

}  // namespace lacewing
