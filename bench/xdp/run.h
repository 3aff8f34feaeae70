// One run: the programs are loaded, the sinks attached, the generator kept running for its time.
#pragma once

#include <bpf/libbpf.h>

#include <memory>
#include <vector>

#include "options.h"
#include "sessions.h"
#include "templates.h"

namespace frames {

class Run {
 public:
  // Sends nothing yet.
  Run(const Options& options, const std::vector<flow>& sessions);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Sends for the run's time, and waits for what is still on the way.
  void Send();

  // How long others had the processor while it sent.
  uint64_t waitedNs() const { return waitedNs_; }

  // Counted while programs run.
  const volatile tally& counted() const { return *tally_; }

 private:
  struct Closed {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };

  void Configure(const std::vector<flow>& sessions);
  void WriteSessions(const std::vector<flow>& sessions);
  void WriteHeaders(int direction);
  headers HeadersOf(int direction, const Ends& ends, uint32_t octets) const;
  void Join(int direction);
  void Drain() const;

  const Options& options_;
  std::vector<uint8_t> bareFrame_;
  std::unique_ptr<bpf_object, Closed> object_;
  std::vector<std::unique_ptr<bpf_link, Closed>> sinks_;
  const volatile tally* tally_ = nullptr;
  uint64_t waitedNs_ = 0;
};

}  // namespace frames
