#include "options.h"

#include <arpa/inet.h>

#include <map>
#include <stdexcept>

namespace traffic {

namespace {

class Words {
 public:
  Words(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) words_[argv[i]] = argv[i + 1];
    if (argc % 2 == 0) throw std::runtime_error("every option has a value");
  }

  std::string Text(const std::string& name) const {
    auto found = words_.find("--" + name);
    if (found == words_.end()) throw std::runtime_error("--" + name + " is missing");
    return found->second;
  }

  uint64_t Number(const std::string& name) const {
    std::string text = Text(name);
    if (text.empty() || text.size() > 15 || text.find_first_not_of("0123456789") != std::string::npos)
      throw std::runtime_error("--" + name + " is no number: " + text);
    return std::stoull(text);
  }

  bool Has(const std::string& name) const { return words_.contains("--" + name); }

 private:
  std::map<std::string, std::string> words_;
};

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Words words(argc, argv);
  Options options;
  options.sessions = words.Text("sessions");
  options.subscriberNetns = words.Text("subscriber-netns");
  options.subscriberDevice = words.Text("subscriber-device");
  options.lac.sin_family = AF_INET;
  options.lac.sin_port = htons(static_cast<uint16_t>(words.Number("lac-port")));
  if (inet_pton(AF_INET, words.Text("lac-address").c_str(), &options.lac.sin_addr) != 1)
    throw std::runtime_error("--lac-address is no IPv4 address");
  std::string direction = words.Text("direction");
  options.up = direction == "up" || direction == "both";
  options.down = direction == "down" || direction == "both";
  if (!options.up && !options.down) throw std::runtime_error("--direction is up, down or both");
  options.octets = words.Number("octets");
  options.durationNs = words.Number("milliseconds") * 1'000'000;
  if (words.Has("rate")) options.rate = words.Number("rate");
  if (words.Has("window")) options.window = words.Number("window");
  if ((options.rate == 0) == (options.window == 0))
    throw std::runtime_error("one of --rate and --window is needed");
  return options;
}

}  // namespace traffic
