// Many continuations of one text at once: a tree of tokens.
#pragma once
#include <span>
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Position i is a node of a tree, and sees itself and its ancestors: speculative decoding, beams with a common stem.
/// Behind a cache of `past` keys that all see: FirstKeys{past} | Shifted{Tree{parents}, 0, -past}.
///     Tree{parents} with parents -1 0 0 1 1
///     # . . . .
///     # # . . .
///     # . # . .
///     # # . # .
///     # # . . #
/// shape   parents [positions], of each node an earlier one or −1; borrowed, not copied
/// errors  Errc::option_value if a parent does not come before its child
/// cost    everything costs steps up the tree; where it is deep, `BlockMask` (mask/block_mask.hpp) remembers
/// source  Miao 2024 (SpecInfer) §4
class Tree {
  public:
    constexpr explicit Tree(std::span<const Index> parents) : parents_(parents) {
        for (std::size_t i = 0; i < parents.size(); ++i)
            if (parents[i] < -1 || parents[i] >= static_cast<Index>(i))
                throw Error(Errc::option_value, "Tree: expected a parent from -1 to ", static_cast<Index>(i) - 1,
                            " for node ", i, ", found ", parents[i]);
    }

    constexpr bool allows(Site at) const {
        Index node = at.query;
        if (node >= size()) return false;
        while (node > at.key) node = parent(node);
        return node == at.key;
    }
    constexpr Cover cover(Tile tile) const {
        Cover known = Cover::partial;
        for (Index query = tile.queries.begin; query < tile.queries.end; ++query) {
            const Index count = seen(query, tile.keys);
            const Cover row = count == 0 ? Cover::empty : count == tile.keys.size() ? Cover::full : Cover::partial;
            known = query == tile.queries.begin ? row : masks::joined(known, row);
            if (known == Cover::partial) return known;
        }
        return known;
    }
    constexpr Range key_bounds(Range queries) const {
        queries = intersection(queries, {0, size()});
        Index root = queries.begin;
        for (Index query = queries.begin; query < queries.end; ++query)
            for (Index node = query; node >= 0; node = parent(node)) root = std::min(root, node);
        return {root, queries.end};
    }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        std::uint64_t set = 0;
        if (query >= size()) return set;
        for (Index node = query; node >= keys.begin; node = parent(node))
            if (node < keys.end) set |= std::uint64_t{1} << (node - keys.begin);
        return set;
    }
    constexpr bool fits(Index queries, Index keys) const { return queries == size() && keys == size(); }
    static constexpr bool cover_is_exact() { return true; }

  private:
    constexpr Index size() const { return static_cast<Index>(parents_.size()); }
    constexpr Index parent(Index node) const { return parents_[static_cast<std::size_t>(node)]; }
    /// How many of `keys` are on the way from `query` to its root.
    constexpr Index seen(Index query, Range keys) const {
        Index count = 0;
        if (query >= size()) return count;
        for (Index node = query; node >= keys.begin; node = parent(node)) count += node < keys.end;
        return count;
    }

    std::span<const Index> parents_;
};

}  // namespace tessera::inline TESSERA_ISA
