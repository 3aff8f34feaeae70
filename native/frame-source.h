// A source of batches of frames, in buffers inside a mapping: what src/io/addon.ts calls a Receiver.
#pragma once

#include <cstdint>

namespace lacewing {

// A receive descriptor, as src/io/addon.ts lays it out (RX_*).
struct ReceivedFrame {
  int32_t offset;
  int32_t length;
  int32_t aux;
  int32_t address;
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  // Fills at most `max` descriptors with what is there now. Returns their number or a negative errno.
  virtual int Receive(ReceivedFrame* frames, int max) = 0;
  // Gives the buffers of everything received back.
  virtual void Release() = 0;
  // Frames dropped by the kernel since the last call.
  virtual uint32_t Overflows() = 0;
};

}  // namespace lacewing
