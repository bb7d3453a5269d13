// The recent past, and a coarse view of what was before.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/catalog/dilated.hpp>

namespace tessera::inline TESSERA_ISA {

namespace masks {

/// The last `stride` positions, and before them every stride-th.
///     stride 3
///     # . . . . . .
///     # # . . . . .
///     # # # . . . .
///     # # # # . . .
///     . # # # # . .
///     . . # # # # .
///     # . . # # # #
/// source  Child 2019 (Sparse Transformer) §4.2
constexpr Or<Window, Dilated> sparse_strided(Index stride) {
    return Window{stride - 1} | Dilated{.left = Window::unbounded, .step = stride};
}

}  // namespace masks

}  // namespace tessera::inline TESSERA_ISA
