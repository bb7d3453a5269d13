// The number of a piece of text in a vocabulary: what tokenizers make and models read.
#pragma once
#include <cstdint>

namespace tessera {

using Token = std::int32_t;

}  // namespace tessera
