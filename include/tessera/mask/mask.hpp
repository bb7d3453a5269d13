// Who may see whom: the concept of a mask, and the two questions a kernel asks it.
#pragma once
#include <algorithm>
#include <concepts>
#include <tessera/core/view.hpp>

namespace tessera {

/// One score: query row `query` of head `head` against key row `key`.
struct Site {
    Index head, query, key;
};

/// Positions begin, …, end − 1.
struct Range {
    Index begin, end;
    constexpr Index size() const { return end - begin; }
    constexpr bool empty() const { return end <= begin; }
    friend constexpr bool operator==(Range, Range) = default;
};

/// A block of scores of one head; never empty.
struct Tile {
    Index head;
    Range queries, keys;
};

/// How much of a tile is visible. `some` promises nothing: a mask that cannot tell says `some`.
enum class Cover : char { none, some, all };

/// A mask is a value with `allows(Site) → bool`. It may also say, to save work,
///     cover(Tile) → Cover                what is known about a whole tile
///     keys(Range queries) → Range        a range outside of which these queries see no key, in any head
/// Both have to agree with `allows`; `verify` (mask/verify.hpp) checks that they do.
template <class M>
concept Mask = std::copyable<M> && requires(const M& mask, Site at) {
    { mask.allows(at) } -> std::same_as<bool>;
};

/// What `mask` knows about `tile`.
template <Mask M>
constexpr Cover cover(const M& mask, Tile tile) {
    if constexpr (requires {
                      { mask.cover(tile) } -> std::same_as<Cover>;
                  })
        return mask.cover(tile);
    else
        return Cover::some;
}

/// Keys outside of the returned range are invisible to all of `queries`; it lies within [0, keys).
template <Mask M>
constexpr Range visible_keys(const M& mask, Range queries, Index keys) {
    if constexpr (requires {
                      { mask.keys(queries) } -> std::same_as<Range>;
                  }) {
        const Range hull = mask.keys(queries);
        const Index begin = std::clamp<Index>(hull.begin, 0, keys);
        return {begin, std::clamp<Index>(hull.end, begin, keys)};
    } else {
        return {0, keys};
    }
}

/// No bound: what `keys` returns when any key may be visible.
inline constexpr Range everywhere{0, PTRDIFF_MAX};

}  // namespace tessera
