// A sliding window.
#pragma once
#include <optional>
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// A query sees at most `left` keys back and `right` keys ahead of its own position.
///     Window{1}      Window{.left = 2, .right = 1}
///     # . . . .      # # . . .
///     # # . . .      # # # . .
///     . # # . .      # # # # .
///     . . # # .      . # # # #
///     . . . # #      . . # # #
/// errors  without an offset (as for Causal) it fits only as many queries as keys
/// source  Beltagy 2020 (Longformer) §3.1
struct Window {
    /// As far as one likes: a distance larger than any sequence.
    static constexpr Index unbounded = PTRDIFF_MAX / 4;

    Index left = 0, right = 0;
    std::optional<Index> offset{};

    constexpr bool allows(Site at) const {
        const Index ahead = at.key - at.query - offset.value_or(0);
        return -left <= ahead && ahead <= right;
    }
    constexpr Range key_bounds(Range queries) const {
        if (-left > right) return Range::nowhere;
        return {queries.begin + offset.value_or(0) - left, queries.end + offset.value_or(0) + right};
    }
    constexpr Range full_keys(Range queries) const {
        return {queries.end - 1 + offset.value_or(0) - left, queries.begin + offset.value_or(0) + right + 1};
    }
    constexpr bool fits(Index queries, Index keys) const { return offset.has_value() || queries == keys; }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }
};

}  // namespace tessera::inline TESSERA_ISA
