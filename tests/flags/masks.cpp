// Masks as constants: one that owns what it looks up, and what is proved of it.
#include <tessera/masks.hpp>
#include <tessera/study/verify.hpp>

using namespace tessera;

static_assert(verify(Packed{{0, 2, 5}, Causal{}}, 5, 5));

int main() {}
