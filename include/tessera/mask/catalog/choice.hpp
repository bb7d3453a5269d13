// Different masks for different heads, or for different places.
#pragma once
#include <span>
#include <tessera/mask/algebra.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Everything in the first `count` heads, nothing in the others: `Choose{HeadsBelow{4}, Window{64}, Causal{}}`.
///     HeadsBelow{1}, head 0 and head 1
///     # # #          . . .
///     # # #          . . .
struct HeadsBelow {
    Index count;

    constexpr bool allows(Site at) const { return at.head < count; }
    constexpr Cover cover(Tile tile) const { return tile.head < count ? Cover::all : Cover::none; }
    static constexpr bool exact() { return true; }
};

/// Where `when` is visible, `a` decides, elsewhere `b`.
///     Choose{HeadsBelow{1}, Window{1}, Causal{}}, head 0 and head 1
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
        const Cover decided = tessera::cover(when, tile);
        if (decided == Cover::all) return tessera::cover(a, tile);
        if (decided == Cover::none) return tessera::cover(b, tile);
        return compose::by_rows(*this, tile);
    }
    constexpr Cover estimate(Tile tile) const {
        const Cover decided = compose::estimate(when, tile);
        if (decided == Cover::all) return compose::estimate(a, tile);
        if (decided == Cover::none) return compose::estimate(b, tile);
        return joined(compose::estimate(a, tile), compose::estimate(b, tile));
    }
    constexpr Range keys(Range queries) const {
        return hull(visible_keys(a, queries, everywhere.end), visible_keys(b, queries, everywhere.end));
    }
    constexpr Range common(Range queries) const {
        return intersection(common_keys(a, queries, everywhere.end), common_keys(b, queries, everywhere.end));
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const std::uint64_t decided = visible_bits(when, head, query, keys);
        return (decided & visible_bits(a, head, query, keys)) | (~decided & visible_bits(b, head, query, keys));
    }
    constexpr bool fits(Index queries, Index keys) const {
        return tessera::fits(when, queries, keys) && tessera::fits(a, queries, keys) && tessera::fits(b, queries, keys);
    }
    constexpr bool exact() const { return tessera::exact(when) && tessera::exact(a) && tessera::exact(b); }
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
    constexpr Cover cover(Tile tile) const {
        return has(tile.head) ? tessera::cover(of(tile.head), tile) : Cover::none;
    }
    constexpr Range keys(Range queries) const {
        Range seen = nowhere;
        for (const M& mask : masks) seen = hull(seen, visible_keys(mask, queries, everywhere.end));
        return seen;
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return has(head) ? visible_bits(of(head), head, query, keys) : 0;
    }
    constexpr bool fits(Index queries, Index keys) const {
        for (const M& mask : masks)
            if (!tessera::fits(mask, queries, keys)) return false;
        return true;
    }
    constexpr bool exact() const {
        return std::all_of(masks.begin(), masks.end(), [](const M& mask) { return tessera::exact(mask); });
    }

  private:
    constexpr bool has(Index head) const { return head < static_cast<Index>(masks.size()); }
    constexpr const M& of(Index head) const { return masks[static_cast<std::size_t>(head)]; }
};
template <Mask M>
PerHead(std::span<const M>) -> PerHead<M>;

}  // namespace tessera::inline TESSERA_ISA
