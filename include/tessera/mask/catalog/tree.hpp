// Many continuations of one text at once: a tree of tokens.
#pragma once
#include <tessera/mask/mask.hpp>
#include <tessera/mask/table.hpp>

namespace tessera::inline TESSERA_ISA {

/// Position i is a node of a tree, and sees itself and its ancestors: speculative decoding, beams with a common stem.
/// After a cache of `past` keys that all see: FirstKeys{past} | Shifted{Tree{parents}, 0, -past}.
///     Tree{parents} with parents -1 0 0 1 1
///     # . . . .
///     # # . . .
///     # . # . .
///     # # . # .
///     # # . . #
/// shape   parents [positions], of each node an earlier one or −1
/// errors  Errc::option_value if a parent does not come before its child
/// cost    everything costs steps up the tree; where it is deep, `BlockMask` (mask/block_mask.hpp) remembers
/// source  Miao 2024 (SpecInfer) §4
class Tree {
  public:
    constexpr explicit Tree(Table<Index> parents) : parents_(std::move(parents)) {
        for (Index i = 0; i < parents_.size(); ++i)
            if (parents_[i] < -1 || parents_[i] >= i)
                throw Error(Errc::option_value, "Tree: expected a parent from -1 to ", i - 1, " for node ", i,
                            ", found ", parents_[i]);
    }

    constexpr bool allows(Site at) const {
        Index node = at.query;
        if (node >= parents_.size()) return false;
        while (node > at.key) node = parents_[node];
        return node == at.key;
    }
    constexpr Cover cover(Tile tile) const { return masks::cover_by_bits(*this, tile); }
    constexpr Range key_bounds(Range queries) const {
        queries = masks::clipped(queries, parents_.size());
        Index root = queries.begin;
        for (Index query = queries.begin; query < queries.end; ++query)
            for (Index node = query; node >= 0; node = parents_[node]) root = std::min(root, node);
        return {root, queries.end};
    }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        std::uint64_t seen = 0;
        if (query >= parents_.size()) return seen;
        for (Index node = query; node >= keys.begin; node = parents_[node])
            if (node < keys.end) seen |= std::uint64_t{1} << (node - keys.begin);
        return seen;
    }
    constexpr bool fits(Index queries, Index keys) const {
        return queries == parents_.size() && keys == parents_.size();
    }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }

  private:
    Table<Index> parents_;
};

}  // namespace tessera::inline TESSERA_ISA
