// The number of a piece of text in a vocabulary: what tokenizers make and models read.
#pragma once
#include <cstdint>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

using Token = std::int32_t;

}  // namespace tessera::inline TESSERA_ISA
