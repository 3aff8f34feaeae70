#include "object.h"

// PROGRAM_OBJECT: where clang left the program.
asm(".pushsection .rodata\n"
    ".balign 8\n"
    "lacewing_xdp_object:\n"
    ".incbin \"" PROGRAM_OBJECT
    "\"\n"
    "lacewing_xdp_object_end:\n"
    ".popsection\n");

extern "C" const uint8_t lacewing_xdp_object[];
extern "C" const uint8_t lacewing_xdp_object_end[];

namespace lacewing::xdp {

std::span<const uint8_t> EmbeddedProgram() { return {lacewing_xdp_object, lacewing_xdp_object_end}; }

}  // namespace lacewing::xdp
