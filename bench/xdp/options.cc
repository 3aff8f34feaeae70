#include "options.h"

#include <arpa/inet.h>

#include <map>
#include <sstream>
#include <stdexcept>

#include "frames.h"

namespace frames {

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

  uint64_t Number(const std::string& name) const { return ParseNumber(name, Text(name)); }

  bool Has(const std::string& name) const { return words_.contains("--" + name); }

  static uint64_t ParseNumber(const std::string& name, const std::string& text) {
    if (text.empty() || text.size() > 15 || text.find_first_not_of("0123456789") != std::string::npos)
      throw std::runtime_error("--" + name + " is no number: " + text);
    return std::stoull(text);
  }

 private:
  std::map<std::string, std::string> words_;
};

IpAddress ParseAddress(const std::string& text) {
  bool ipv6 = text.find(':') != std::string::npos;
  IpAddress address(ipv6 ? 16 : 4);
  if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text.c_str(), address.data()) != 1)
    throw std::runtime_error("this is no IP address: " + text);
  return address;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

// "64" or "64:7,594:4,1492:1"
std::vector<Share> ParseSizes(const std::string& text) {
  std::vector<Share> sizes;
  uint32_t inAll = 0;
  for (const std::string& part : Split(text)) {
    size_t colon = part.find(':');
    Share share{static_cast<uint32_t>(Words::ParseNumber("sizes", part.substr(0, colon))), ROUND};
    if (colon != std::string::npos)
      share.ofTwelve = static_cast<uint32_t>(Words::ParseNumber("sizes", part.substr(colon + 1)));
    if (share.octets < 64 || share.octets > MOST_PACKET)
      throw std::runtime_error("a packet has from 64 to 1500 octets");
    inAll += share.ofTwelve;
    sizes.push_back(share);
  }
  if (inAll != ROUND || sizes.size() > MOST_SIZES)
    throw std::runtime_error("--sizes: at most four, with shares of twelve in all");
  return sizes;
}

Role ParseRole(const std::string& text) {
  const std::map<std::string, Role> roles{
      {"lac", Role::kLac}, {"lns", Role::kLns}, {"pta", Role::kPta}, {"wire", Role::kWire}};
  auto found = roles.find(text);
  if (found == roles.end()) throw std::runtime_error("--role is lac, lns, pta or wire");
  return found->second;
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Words words(argc, argv);
  Options options;
  options.programs = words.Text("programs");
  options.sessions = words.Text("sessions");
  options.subscribers = {words.Text("subscriber-netns"), words.Text("subscriber-device")};
  options.lns = {words.Text("lns-netns"), words.Text("lns-device")};
  options.access = {words.Text("lac-netns"), words.Text("access-device")};
  options.core = {words.Text("lac-netns"), words.Text("core-device")};
  options.lac = ParseAddress(words.Text("lac-address"));
  for (const std::string& peer : Split(words.Text("peers"))) options.peers.push_back(ParseAddress(peer));
  for (const IpAddress& peer : options.peers)
    if (peer.size() != options.lac.size()) throw std::runtime_error("--peers and --lac-address: of one family");
  if (options.peers.size() > MOST_PEERS) throw std::runtime_error("--peers: too many");
  std::string direction = words.Text("direction");
  options.up = direction == "up" || direction == "both";
  options.down = direction == "down" || direction == "both";
  if (!options.up && !options.down) throw std::runtime_error("--direction is up, down or both");
  options.sizes = ParseSizes(words.Text("sizes"));
  options.durationNs = words.Number("milliseconds") * 1'000'000;
  if (words.Has("rate")) options.rate = words.Number("rate");
  if (words.Has("window")) options.window = words.Number("window");
  if ((options.rate == 0) == (options.window == 0))
    throw std::runtime_error("one of --rate and --window is needed");
  if (words.Has("role")) options.role = ParseRole(words.Text("role"));
  if (words.Has("processor")) options.processor = static_cast<int>(words.Number("processor"));
  return options;
}

}  // namespace frames
