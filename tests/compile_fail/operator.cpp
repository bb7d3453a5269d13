// The operators of the algebra are for masks only: they do not take over what else is in namespace tessera.
// error g++: no match for .operator&. .*tessera::.*Causal. and .*Range
// error clang: invalid operands to binary expression .*Causal.*Range
#include <tessera/study.hpp>

using namespace tessera;

int main() {
    [[maybe_unused]] const auto both = Causal{} & FirstKeys{3};
#ifdef TESSERA_FAULT
    [[maybe_unused]] const auto mixed = Causal{} & Range{0, 3};
#endif
}
