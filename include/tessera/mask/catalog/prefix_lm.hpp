// A prefix that everybody sees, and a text read from left to right.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/catalog/causal.hpp>
#include <tessera/mask/catalog/first_keys.hpp>

namespace tessera::inline TESSERA_ISA {

namespace masks {

/// Everybody sees the first `prefix` keys; the rest is causal.
///     # # . . .
///     # # . . .
///     # # # . .
///     # # # # .
///     # # # # #
/// source  Raffel 2020 (T5) §3.2.1
constexpr Or<FirstKeys, Causal> prefix_lm(Index prefix, Causal rest = {}) { return FirstKeys{prefix} | rest; }

}  // namespace masks

}  // namespace tessera::inline TESSERA_ISA
