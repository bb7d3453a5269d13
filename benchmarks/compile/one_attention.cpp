// A translation unit that uses one Attention, as most programs do: what units.sh compiles. Not a program.
#include <tessera/attention.hpp>

using namespace tessera;

Rows<768> attend(const Attention<768, 12>& layer, ConstRows<768> x, Scratch& scratch) {
    return layer(x, x, Causal{}, scratch);
}
