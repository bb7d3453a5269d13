// Different masks for different heads, or for different places.
#pragma once
#include <span>
#include <tessera/mask/algebra.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Everything in the first `count` heads, nothing in the others: `Choose{FirstHeads{4}, Window{64}, Causal{}}`.
///     FirstHeads{1}, head 0 and head 1
///     # # #          . . .
///     # # #          . . .
struct FirstHeads {
    Index count;

    constexpr bool allows(Site at) const { return at.head < count; }
    constexpr Cover cover(Tile tile) const { return tile.head < count ? Cover::full : Cover::empty; }
    static constexpr bool cover_is_exact() { return true; }
};

/// Where `when` is visible, `a` decides, elsewhere `b`.
///     Choose{FirstHeads{1}, Window{1}, Causal{}}, head 0 and head 1
///     # . . .        # . . .
///     # # . .        # # . .
///     . # # .        # # # .
///     . . # #        # # # #
template <Mask When, Mask A, Mask B>
struct Choose {
    When when;
    A a;
    B b;

    constexpr bool allows(Site at) const { return when.allows(at) ? a.allows(at) : b.allows(at); }
    constexpr Cover cover(Tile tile) const {
        const Cover decided = masks::cover(when, tile);
        if (decided == Cover::full) return masks::cover(a, tile);
        if (decided == Cover::empty) return masks::cover(b, tile);
        return compose::by_rows(*this, tile);
    }
    constexpr Cover estimate(Tile tile) const {
        const Cover decided = compose::estimate(when, tile);
        if (decided == Cover::full) return compose::estimate(a, tile);
        if (decided == Cover::empty) return compose::estimate(b, tile);
        return masks::joined(compose::estimate(a, tile), compose::estimate(b, tile));
    }
    constexpr Range key_bounds(Range queries) const {
        return hull(masks::key_bounds(a, queries, Range::everywhere.end),
                    masks::key_bounds(b, queries, Range::everywhere.end));
    }
    constexpr Range full_keys(Range queries) const {
        return intersection(masks::full_keys(a, queries, Range::everywhere.end),
                            masks::full_keys(b, queries, Range::everywhere.end));
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const std::uint64_t decided = masks::bits(when, head, query, keys);
        return (decided & masks::bits(a, head, query, keys)) | (~decided & masks::bits(b, head, query, keys));
    }
    constexpr bool fits(Index queries, Index keys) const {
        return masks::fits(when, queries, keys) && masks::fits(a, queries, keys) && masks::fits(b, queries, keys);
    }
    constexpr bool cover_is_exact() const {
        return masks::cover_is_exact(when) && masks::cover_is_exact(a) && masks::cover_is_exact(b);
    }
};
template <Mask When, Mask A, Mask B>
Choose(When, A, B) -> Choose<When, A, B>;

/// One mask for each head, all of one kind: windows of different widths, bitmaps of different patterns.
///     PerHead{windows} with windows {0} {1}, head 0 and head 1
///     # . .          # . .
///     . # .          # # .
///     . . #          . # #
/// shape   masks [H]; borrowed, not copied; heads beyond them see nothing
template <Mask M>
struct PerHead {
    std::span<const M> masks;

    constexpr bool allows(Site at) const { return has(at.head) && of(at.head).allows(at); }
    constexpr Cover cover(Tile tile) const { return has(tile.head) ? masks::cover(of(tile.head), tile) : Cover::empty; }
    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (const M& mask : masks) seen = hull(seen, masks::key_bounds(mask, queries, Range::everywhere.end));
        return seen;
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return has(head) ? masks::bits(of(head), head, query, keys) : 0;
    }
    constexpr bool fits(Index queries, Index keys) const {
        for (const M& mask : masks)
            if (!masks::fits(mask, queries, keys)) return false;
        return true;
    }
    constexpr bool cover_is_exact() const {
        return std::all_of(masks.begin(), masks.end(), [](const M& mask) { return masks::cover_is_exact(mask); });
    }

  private:
    constexpr bool has(Index head) const { return head < static_cast<Index>(masks.size()); }
    constexpr const M& of(Index head) const { return masks[static_cast<std::size_t>(head)]; }
};
template <Mask M>
PerHead(std::span<const M>) -> PerHead<M>;

}  // namespace tessera::inline TESSERA_ISA
