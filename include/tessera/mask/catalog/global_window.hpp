// A few rows that hold everything together, and windows.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/catalog/first_keys.hpp>
#include <tessera/mask/catalog/first_queries.hpp>
#include <tessera/mask/catalog/window.hpp>

namespace tessera::inline TESSERA_ISA {

namespace masks {

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

}  // namespace masks

}  // namespace tessera::inline TESSERA_ISA
