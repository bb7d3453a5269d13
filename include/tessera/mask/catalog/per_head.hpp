// Masks of one kind, another one for each head.
#pragma once
#include <tessera/mask/mask.hpp>
#include <tessera/mask/table.hpp>

namespace tessera::inline TESSERA_ISA {

/// One mask for each head, all of one kind: windows of different widths, bitmaps of different patterns.
///     PerHead{windows} with windows {0} {1}, head 0 and head 1
///     # . .          # . .
///     . # .          # # .
///     . . #          . # #
/// shape   masks [H]; heads beyond them see nothing
template <Mask M>
struct PerHead {
    Table<M> masks;

    constexpr bool allows(Site at) const { return has(at.head) && masks[at.head].allows(at); }
    constexpr Cover cover(Tile tile) const {
        return has(tile.head) ? masks::cover(masks[tile.head], tile) : Cover::empty;
    }
    constexpr Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (const M& mask : masks) seen = hull(seen, masks::key_bounds(mask, queries, Range::everywhere.end));
        return seen;
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        return has(head) ? masks::bits(masks[head], head, query, keys) : 0;
    }
    constexpr bool fits(Index queries, Index keys) const {
        return std::all_of(masks.begin(), masks.end(), [=](const M& mask) { return masks::fits(mask, queries, keys); });
    }
    constexpr bool cover_is_exact() const {
        return std::all_of(masks.begin(), masks.end(), [](const M& mask) { return masks::cover_is_exact(mask); });
    }
    constexpr Index heads() const { return masks.size() + 1; }

  private:
    constexpr bool has(Index head) const { return head < masks.size(); }
};
template <class From>
PerHead(From&&) -> PerHead<std::remove_cvref_t<decltype(*std::data(std::declval<From&>()))>>;

}  // namespace tessera::inline TESSERA_ISA
