// Masks with a name of their own that are short compositions.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/catalog/order.hpp>
#include <tessera/mask/catalog/window.hpp>

namespace tessera::inline TESSERA_ISA::masks {

/// Everybody sees the first `prefix` keys; the rest is causal.
///     # # . . .
///     # # . . .
///     # # # . .
///     # # # # .
///     # # # # #
/// source  Raffel 2020 (T5) §3.2.1
constexpr Or<FirstKeys, Causal> prefix_lm(Index prefix, Causal rest = {}) { return FirstKeys{prefix} | rest; }

/// The first `count` rows see and are seen by all; the others see their window.
///     # # # # #
///     # # # . .
///     # # # # .
///     # . # # #
///     # . . # #
/// source  Beltagy 2020 (Longformer) §3.1
constexpr Or<Or<FirstKeys, FirstQueries>, Window> global_window(Index count, Window window) {
    return FirstKeys{count} | FirstQueries{count} | window;
}

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

}  // namespace tessera::inline TESSERA_ISA::masks
