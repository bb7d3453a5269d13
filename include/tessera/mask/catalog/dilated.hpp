// A window with gaps.
#pragma once
#include <tessera/mask/catalog/strided.hpp>
#include <tessera/mask/catalog/window.hpp>

namespace tessera::inline TESSERA_ISA {

/// Every step-th key of a window, counted from the query's own position: a window that reaches `step` times as far.
///     Dilated{.left = 4, .step = 2}
///     # . . . . .
///     . # . . . .
///     # . # . . .
///     . # . # . .
///     # . # . # .
///     . # . # . #
/// source  Beltagy 2020 (Longformer) §3.1
struct Dilated {
    Index left = 0, right = 0, step = 1;
    std::optional<Index> offset{};

    constexpr bool allows(Site at) const {
        return window().allows(at) && (at.key - at.query - offset.value_or(0)) % step == 0;
    }
    constexpr Cover cover(Tile tile) const {
        const Index shift = offset.value_or(0);
        const Index least = std::max(tile.keys.begin - (tile.queries.end - 1) - shift, -left);
        const Index most = std::min(tile.keys.end - 1 - tile.queries.begin - shift, right);
        if (least > most || down(most) < least) return Cover::empty;
        const bool on_every_step = step == 1 || (least == most && least % step == 0);
        return on_every_step ? masks::cover(window(), tile) : Cover::partial;
    }
    constexpr Range key_bounds(Range queries) const { return window().key_bounds(queries); }
    constexpr Range full_keys(Range queries) const { return step == 1 ? window().full_keys(queries) : Range::nowhere; }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const Range seen = intersection(keys, masks::clipped(key_bounds({query, query + 1}), keys.end));
        const Index own = query + offset.value_or(0);
        const Strided steps{step, own - down(own - seen.begin)};
        return steps.bits(head, query, keys) & masks::ones(seen, keys.begin);
    }
    constexpr bool fits(Index queries, Index keys) const { return window().fits(queries, keys); }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }

  private:
    constexpr Window window() const { return {left, right, offset}; }
    /// The largest multiple of `step` that is not above `distance`.
    constexpr Index down(Index distance) const {
        const Index over = distance % step;
        return distance - (over < 0 ? over + step : over);
    }
};

}  // namespace tessera::inline TESSERA_ISA
