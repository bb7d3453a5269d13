// Masks by distance: sliding windows, every n-th neighbour, every n-th column.
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
        const Index ahead = at.key - at.query - shift();
        return -left <= ahead && ahead <= right;
    }
    constexpr Cover cover(Tile tile) const {
        // A tile holds every distance from its lower left corner's to its upper right one's.
        const Index least = tile.keys.begin - (tile.queries.end - 1) - shift();
        const Index most = tile.keys.end - 1 - tile.queries.begin - shift();
        if (std::max(least, -left) > std::min(most, right)) return Cover::empty;
        return -left <= least && most <= right ? Cover::full : Cover::partial;
    }
    constexpr Range key_bounds(Range queries) const {
        return {queries.begin + shift() - left, queries.end + shift() + right};
    }
    constexpr Range full_keys(Range queries) const {
        return {queries.end - 1 + shift() - left, queries.begin + shift() + right + 1};
    }
    constexpr bool fits(Index queries, Index keys) const { return offset.has_value() || queries == keys; }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr Index shift() const { return offset.value_or(0); }
};

namespace masks {

/// Ones for every step-th key of `keys` from `first` on, where bit 0 is key `base`.
constexpr std::uint64_t every(Index step, Index first, Range keys, Index base) {
    if (first >= keys.end) return 0;
    std::uint64_t bits = std::uint64_t{1} << (first - base);
    for (; step < 64; step *= 2) bits |= bits << step;
    return bits & ones({first, keys.end}, base);
}

}  // namespace masks

/// Every step-th key of a window, counted from the query's own position: a window that reaches `step` times as far.
///     Dilated{.left = 4, .step = 2}
///     # . . . . .
///     . # . . . .
///     # . # . . .
///     . # . # . .
///     # . # . # .
///     . # . # . #
/// source  Beltagy 2020 (Longformer) §3.1; Child 2019 (Sparse Transformer) §4.2: Window{n - 1} | Dilated{Window::unbounded, 0, n}
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
        return on_every_step ? window().cover(tile) : Cover::partial;
    }
    constexpr Range key_bounds(Range queries) const { return window().key_bounds(queries); }
    constexpr Range full_keys(Range queries) const { return step == 1 ? window().full_keys(queries) : Range::nowhere; }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        const Range seen = intersection(keys, intersection(this->key_bounds({query, query + 1}), Range::everywhere));
        if (seen.empty()) return 0;
        const Index own = query + offset.value_or(0);
        return masks::every(step, own - down(own - seen.begin), seen, keys.begin);
    }
    constexpr bool fits(Index queries, Index keys) const { return offset.has_value() || queries == keys; }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr Window window() const { return {left, right, offset}; }
    /// The largest multiple of `step` that is not above `distance`.
    constexpr Index down(Index distance) const {
        const Index over = distance % step;
        return distance - (over < 0 ? over + step : over);
    }
};

/// Every step-th key from `first` on, for everybody: columns that sum up what lies between them.
///     Strided{.step = 3, .first = 1}
///     . # . . # .
///     . # . . # .
/// source  Child 2019 (Sparse Transformer) §4.2, "fixed": Strided{n, n - 1} & Causal{} beside blocks of n
struct Strided {
    Index step = 1, first = 0;

    constexpr bool allows(Site at) const { return at.key >= first && (at.key - first) % step == 0; }
    constexpr Cover cover(Tile tile) const {
        if (next(tile.keys.begin) >= tile.keys.end) return Cover::empty;
        if (tile.keys.size() == 1) return Cover::full;
        return step == 1 && tile.keys.begin >= first ? Cover::full : Cover::partial;
    }
    constexpr Range key_bounds(Range) const { return {first, Range::everywhere.end}; }
    constexpr Range full_keys(Range) const { return step == 1 ? Range{first, Range::everywhere.end} : Range::nowhere; }
    constexpr std::uint64_t bits(Index, Index, Range keys) const {
        return masks::every(step, next(keys.begin), keys, keys.begin);
    }
    static constexpr bool cover_is_exact() { return true; }

  private:
    /// The first such key that is not before `key`.
    constexpr Index next(Index key) const {
        return key <= first ? first : first + (key - first + step - 1) / step * step;
    }
};

}  // namespace tessera::inline TESSERA_ISA
