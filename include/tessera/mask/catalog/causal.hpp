// A text read from left to right.
#pragma once
#include <optional>
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// A query sees the keys up to its own position: key ≤ query + offset.
///     Causal{}       top_left       bottom_right(2, 4) = after(2)
///     # . . .        # . . .        # # # .
///     # # . .        # # . .        # # # #
///     # # # .
///     # # # #
/// errors  without an offset it fits only as many queries as keys: where these differ, say which corner is meant
struct Causal {
    std::optional<Index> offset{};

    /// The first query sees the first key.
    static constexpr Causal top_left() { return {0}; }
    /// The last query sees the last key.
    static constexpr Causal bottom_right(Index queries, Index keys) { return {keys - queries}; }
    /// `past` keys came before the first query, as with a key-value cache.
    static constexpr Causal after(Index past) { return {past}; }

    constexpr bool allows(Site at) const { return at.key <= at.query + offset.value_or(0); }
    constexpr Range key_bounds(Range queries) const { return {0, queries.end + offset.value_or(0)}; }
    constexpr Range full_keys(Range queries) const { return {0, queries.begin + offset.value_or(0) + 1}; }
    constexpr bool fits(Index queries, Index keys) const { return offset.has_value() || queries == keys; }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }
};

}  // namespace tessera::inline TESSERA_ISA
