// A layer takes rows of its own width; the message names both.
// error: 1408
// error: 1024
#include <tessera/nn/block.hpp>

using namespace tessera;

void run(const Block<1024, 16, 4096>& block, Rows<1024> narrow, [[maybe_unused]] Rows<1408> wide, Scratch& s) {
    block.into(narrow, narrow, Full{}, s);
#ifdef TESSERA_FAULT
    block.into(narrow, wide, Full{}, s);
#endif
}
