// Masks that compare positions with a bound or with each other: everything, causal, prefixes, two segments.
#pragma once
#include <optional>
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Every query sees every key.
///     # # # #
///     # # # #
///     # # # #
struct Full {
    constexpr bool allows(Site) const { return true; }
    constexpr Cover cover(Tile) const { return Cover::full; }
    constexpr Range key_bounds(Range) const { return Range::everywhere; }
    constexpr Range full_keys(Range) const { return Range::everywhere; }
    static constexpr bool cover_is_exact() { return true; }
};

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

    constexpr bool allows(Site at) const { return at.key <= at.query + shift(); }
    constexpr Cover cover(Tile tile) const {
        if (tile.keys.begin > tile.queries.end - 1 + shift()) return Cover::empty;
        return tile.keys.end - 1 <= tile.queries.begin + shift() ? Cover::full : Cover::partial;
    }
    constexpr Range key_bounds(Range queries) const { return {0, queries.end + shift()}; }
    constexpr Range full_keys(Range queries) const { return {0, queries.begin + shift() + 1}; }
    constexpr bool fits(Index queries, Index keys) const { return offset.has_value() || queries == keys; }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr Index shift() const { return offset.value_or(0); }
};

/// Only the first `count` keys are visible: a padded context, or a prefix that everybody sees.
///     # # . .
///     # # . .
///     # # . .
struct FirstKeys {
    Index count;

    constexpr bool allows(Site at) const { return at.key < count; }
    constexpr Cover cover(Tile tile) const {
        if (tile.keys.begin >= count) return Cover::empty;
        return tile.keys.end <= count ? Cover::full : Cover::partial;
    }
    constexpr Range key_bounds(Range) const { return {0, count}; }
    constexpr Range full_keys(Range) const { return {0, count}; }
    static constexpr bool cover_is_exact() { return true; }
};

/// Only the first `count` queries see anything.
///     # # # #
///     # # # #
///     . . . .
struct FirstQueries {
    Index count;

    constexpr bool allows(Site at) const { return at.query < count; }
    constexpr Cover cover(Tile tile) const {
        if (tile.queries.begin >= count) return Cover::empty;
        return tile.queries.end <= count ? Cover::full : Cover::partial;
    }
    constexpr Range key_bounds(Range queries) const {
        return queries.begin < count ? Range::everywhere : Range::nowhere;
    }
    constexpr Range full_keys(Range queries) const { return queries.end <= count ? Range::everywhere : Range::nowhere; }
    static constexpr bool cover_is_exact() { return true; }
};

/// Two segments, positions before `boundary` and from it on; each sees only itself.
///     # # . .
///     # # . .
///     . . # #
///     . . # #
struct SameSegment {
    Index boundary;

    constexpr bool allows(Site at) const { return (at.query < boundary) == (at.key < boundary); }
    constexpr Cover cover(Tile tile) const {
        if (split(tile.queries) || split(tile.keys)) return Cover::partial;
        return allows({tile.head, tile.queries.begin, tile.keys.begin}) ? Cover::full : Cover::empty;
    }
    constexpr Range key_bounds(Range queries) const {
        return split(queries) ? Range::everywhere : segment(queries.begin);
    }
    constexpr Range full_keys(Range queries) const { return split(queries) ? Range::nowhere : segment(queries.begin); }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr bool split(Range range) const { return range.begin < boundary && boundary < range.end; }
    constexpr Range segment(Index position) const {
        return position < boundary ? Range{0, boundary} : Range{boundary, Range::everywhere.end};
    }
};

}  // namespace tessera::inline TESSERA_ISA
