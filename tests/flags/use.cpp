// -D NAME=first_output_one or first_output_two
#include "layer.hpp"

float NAME(const Layer& layer, tessera::ConstRows<64> x) {
    tessera::Scratch scratch;
    return layer(x, scratch)(0, 0);
}
