// A mask in another place.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Query i and key j are shown to `mask` as i + queries_by and j + keys_by: Shifted{Causal{}, past} continues a sequence
/// of which `past` queries are done; Shifted{mask, -n, -n} makes room for n rows in front. Places before 0 see nothing
/// and are not seen.
///     Shifted{Causal{}, 2}      Shifted{Causal{}, -1, -1}
///     # # # .                   . . . .
///     # # # #                   . # . .
///                               . # # .
template <Mask M>
struct Shifted {
    M mask;
    Index queries_by = 0, keys_by = 0;

    constexpr bool allows(Site at) const {
        const Index query = at.query + queries_by, key = at.key + keys_by;
        return query >= 0 && key >= 0 && mask.allows({at.head, query, key});
    }
    constexpr Cover cover(Tile tile) const {
        const Range queries = there(tile.queries, queries_by), keys = there(tile.keys, keys_by);
        if (queries.empty() || keys.empty()) return Cover::empty;
        const Cover known = masks::cover(mask, {tile.head, queries, keys});
        const bool whole = queries.size() == tile.queries.size() && keys.size() == tile.keys.size();
        return whole ? known : masks::joined(known, Cover::empty);
    }
    constexpr Range key_bounds(Range queries) const {
        const Range inside = there(queries, queries_by);
        return inside.empty() ? Range::nowhere : back(masks::key_bounds(mask, inside, Range::everywhere.end));
    }
    constexpr Range full_keys(Range queries) const {
        const Range inside = there(queries, queries_by);
        return inside.size() < queries.size() ? Range::nowhere
                                              : back(masks::full_keys(mask, inside, Range::everywhere.end));
    }
    constexpr std::uint64_t bits(Index head, Index query, Range keys) const {
        const Range inside = there(keys, keys_by);
        if (query + queries_by < 0 || inside.empty()) return 0;
        return masks::bits(mask, head, query + queries_by, inside) << (keys.size() - inside.size());
    }
    constexpr bool fits(Index queries, Index keys) const {
        return masks::fits(mask, queries + queries_by, keys + keys_by);
    }
    constexpr bool cover_is_exact() const { return masks::cover_is_exact(mask); }
    constexpr Index heads() const { return masks::heads(mask); }

  private:
    static constexpr Range there(Range range, Index by) {
        return intersection({range.begin + by, range.end + by}, Range::everywhere);
    }
    constexpr Range back(Range range) const {
        if (range.empty()) return Range::nowhere;
        return {range.begin - keys_by, range.end == Range::everywhere.end ? range.end : range.end - keys_by};
    }
};
template <Mask M>
Shifted(M, Index = 0, Index = 0) -> Shifted<M>;

}  // namespace tessera::inline TESSERA_ISA
