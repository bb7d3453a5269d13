// In which arithmetic rows are multiplied by weights.
#pragma once
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

/// The arithmetic of matrix products whose weights are stored as bf16; all others are of f32. Sums are f32 in both.
enum class Products : bool {
    f32,  // of rows as they are
    bf16  // of rows rounded to bf16, to 2⁻⁸ of each number: twice as fast where the processor has dot products of bf16, slower elsewhere
};

}  // namespace tessera::inline TESSERA_ISA
