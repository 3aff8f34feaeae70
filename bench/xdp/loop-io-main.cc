// Forwards between subscribers and LNSes until it is killed:  loop-io SESSIONS DEVICE ADDRESS PEER[,PEER...]

#include <arpa/inet.h>

#include <cstdio>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "failure.h"
#include "loop-io.h"

int main(int argc, char** argv) {
  return frames::Reporting("loop-io", [&] {
    if (argc != 5) throw std::runtime_error("loop-io SESSIONS DEVICE ADDRESS PEER[,PEER...]");
    in_addr local{inet_addr(argv[3])};
    std::vector<in_addr> peers;
    std::istringstream words(argv[4]);
    for (std::string word; std::getline(words, word, ',');) peers.push_back({inet_addr(word.c_str())});
    auto io = std::make_unique<frames::LoopIo>(argv[2], local, peers, frames::ReadSessions(argv[1]));
    std::printf("ready\n");
    std::fflush(stdout);
    io->Run();
  });
}
