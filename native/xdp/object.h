// The compiled program, as it was when the addon was built: neither clang nor a file is needed to load it.
#pragma once

#include <cstdint>
#include <span>

namespace lacewing::xdp {

std::span<const uint8_t> EmbeddedProgram();

}  // namespace lacewing::xdp
