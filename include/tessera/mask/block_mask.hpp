// The cover of all tiles of a mask, found once and kept: what makes a mask without `cover` as fast as one with it.
#pragma once
#include <memory>
#include <tessera/mask/mask.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// How much of each tile of a grid over queries × keys is visible in one head; the last tiles of each direction may be
/// smaller.
/// cost    a byte for each tile; time grows with the tiles inside the range that `key_bounds` gives and outside of the one that
///         `full_keys` gives, and with `allows` only where `cover` does not tell. With `keep_bits`, for tiles of at most 32
///         columns, four bytes more for each tile and for each row of the mixed ones, all of whose scores are asked about.
class BlockMap {
  public:
    template <Mask M>
    BlockMap(const M& mask, Index queries, Index keys, Index head = 0, Index rows = 32, Index columns = 32,
             bool keep_bits = false)
        : rows_(rows),
          columns_(columns),
          width_((keys + columns - 1) / columns),
          cells_(static_cast<std::size_t>((queries + rows - 1) / rows * width_), Cover::empty),
          blocks_(keep_bits ? cells_.size() : 0) {
        TESSERA_EXPECTS(!keep_bits || columns <= 32);
        if (keep_bits) {
            words_.resize(static_cast<std::size_t>(rows), 0);
            words_.resize(static_cast<std::size_t>(2 * rows), static_cast<std::uint32_t>(masks::ones({0, columns}, 0)));
        }
        for (Index y = 0; y * rows < queries; ++y) {
            const Range block{y * rows, std::min((y + 1) * rows, queries)};
            const Range seen = masks::key_bounds(mask, block, keys), certain = masks::full_keys(mask, block, keys);
            const auto tile = [&](Index first, Index last) {
                return Tile{head, block, {first * columns, std::min(last * columns, keys)}};
            };
            const auto known = [&](Tile one) {
                return intersection(one.keys, certain) == one.keys ? Cover::full : masks::cover(mask, one);
            };
            Range live = Range::nowhere;  // in tiles
            const auto set = [&](Index first, Index last, Cover cover) {
                std::fill(cells_.begin() + place(y, first), cells_.begin() + place(y, last), cover);
                if (keep_bits)
                    std::fill(blocks_.begin() + place(y, first), blocks_.begin() + place(y, last), block_of(cover));
                if (cover != Cover::empty) live = hull(live, {first, last});
            };
            // Most of a long row is alike: while it is, more and more tiles are asked about at once; fewer where that leaves
            // doubt.
            const Index end = (seen.end + columns - 1) / columns;
            for (Index x = seen.begin / columns, count = 32, next = 0; x < end;) {
                next = std::min(x + count, end);
                Cover cover = known(tile(x, next));
                if (cover == Cover::partial && next > x + 1) {
                    count = std::max<Index>((next - x) / 4, 1);
                    continue;
                }
                if (cover == Cover::partial && keep_bits)
                    cover = keep(mask, tile(x, next));
                else if (cover == Cover::partial && !masks::cover_is_exact(mask))
                    cover = masks::cover_by_bits(mask, tile(x, next));
                set(x, next, cover);
                if (cover != Cover::partial) count = std::min<Index>(2 * count, 32);
                x = next;
            }
            hulls_.push_back(intersection({live.begin * columns, live.end * columns}, seen));
        }
    }

    Index height() const { return static_cast<Index>(hulls_.size()); }
    Index width() const { return width_; }
    Cover operator()(Index y, Index x) const { return cells_[static_cast<std::size_t>(place(y, x))]; }
    /// What it holds in memory.
    Index bytes() const {
        return static_cast<Index>(cells_.size() * sizeof(Cover) + hulls_.size() * sizeof(Range) +
                                  (blocks_.size() + words_.size()) * sizeof(std::uint32_t));
    }
    Index count(Cover cover) const { return std::count(cells_.begin(), cells_.end(), cover); }

    /// What follows for any tile, whether it lies on the grid or not.
    Cover cover(Range queries, Range keys) const {
        const Index top = tile_of(queries.begin, rows_), left = tile_of(keys.begin, columns_);
        const Cover first = (*this)(top, left);
        for (Index y = top; y * rows_ < queries.end; ++y)
            for (Index x = left; x * columns_ < keys.end; ++x)
                if (masks::joined((*this)(y, x), first) == Cover::partial) return Cover::partial;
        return first;
    }
    Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (Index y = tile_of(queries.begin, rows_); y * rows_ < queries.end; ++y)
            seen = hull(seen, hulls_[static_cast<std::size_t>(y)]);
        return seen;
    }

    bool keeps_bits() const { return !blocks_.empty(); }
    /// Which of at most 64 keys a query sees, from the bits that were kept.
    std::uint64_t bits(Index query, Range keys) const {
        const Index y = tile_of(query, rows_), row = query - y * rows_;
        std::uint64_t bits = 0;
        for (Index x = tile_of(keys.begin, columns_); x * columns_ < keys.end; ++x) {
            const std::uint64_t word =
                words_[static_cast<std::size_t>(blocks_[static_cast<std::size_t>(place(y, x))] * rows_ + row)];
            const Index ahead = x * columns_ - keys.begin;
            bits |= ahead < 0 ? word >> -ahead : word << ahead;
        }
        return bits & masks::ones(keys, keys.begin);
    }

  private:
    Index place(Index y, Index x) const { return y * width_ + x; }
    /// To divide takes long, and tiles are nearly always of that size.
    static Index tile_of(Index position, Index side) { return side == 32 ? position / 32 : position / side; }

    /// Keeps the bits of a tile if it is mixed; says how much of it is visible.
    template <Mask M>
    Cover keep(const M& mask, Tile tile) {
        const std::size_t before = words_.size();
        bool any = false, all = true;
        for (Index query = tile.queries.begin; query < tile.queries.end; ++query) {
            const std::uint64_t seen = masks::bits(mask, tile.head, query, tile.keys);
            any |= seen != 0, all &= seen == masks::ones(tile.keys, tile.keys.begin);
            words_.push_back(static_cast<std::uint32_t>(seen));
        }
        const bool mixed = any && !all;
        words_.resize(before + (mixed ? static_cast<std::size_t>(rows_) : 0));
        return mixed ? Cover::partial : all ? Cover::full : Cover::empty;
    }
    /// The block of a tile like that; if it is mixed, of the one that was kept last.
    std::uint32_t block_of(Cover cover) const {
        const auto blocks = static_cast<std::uint32_t>(words_.size() / static_cast<std::size_t>(rows_));
        return cover == Cover::empty ? 0 : cover == Cover::full ? 1 : blocks - 1;
    }

    Index rows_, columns_, width_;
    std::vector<Cover> cells_;
    std::vector<Range> hulls_;
    std::vector<std::uint32_t> words_;   // of blocks of rows_ words: nothing, everything, one mixed tile after another
    std::vector<std::uint32_t> blocks_;  // of each tile
};

/// A mask with its block map and the bits of its mixed tiles: made once, used in every head, layer and step.
/// ```cpp
/// const BlockMask mask(Predicate{[](Index query, Index key) { return (query ^ key) % 3 != 0; }}, 64, 64, 1);
/// ```
/// shape   for `queries` × `keys` and no other size; `heads` is how many heads the mask tells apart: 1 if it does not look
///         at the head at all, or as many as there are
/// cost    5 bytes for each tile and 128 for each mixed one, for each of `heads`: of 16384 × 16384 scores 1.3 MB and at most
///         34; copies share them
template <Mask M>
class BlockMask {
  public:
    BlockMask(M mask, Index queries, Index keys, Index heads, Index rows = 32, Index columns = 32)
        : mask_(std::move(mask)), queries_(queries), keys_(keys) {
        TESSERA_EXPECTS(heads >= 1);
        std::vector<BlockMap> maps;
        for (Index head = 0; head < heads; ++head)
            maps.emplace_back(mask_, queries, keys, head, rows, columns, columns <= 32);
        maps_ = std::make_shared<const std::vector<BlockMap>>(std::move(maps));
    }

    bool allows(Site at) const { return mask_.allows(at); }
    Cover cover(Tile tile) const { return of(tile.head).cover(tile.queries, tile.keys); }
    Range key_bounds(Range queries) const {
        Range seen = Range::nowhere;
        for (const BlockMap& one : *maps_) seen = hull(seen, one.key_bounds(queries));
        return seen;
    }
    Range full_keys(Range queries) const { return masks::full_keys(mask_, queries, keys_); }
    std::uint64_t bits(Index head, Index query, Range keys) const {
        const BlockMap& known = of(head);
        return known.keeps_bits() ? known.bits(query, keys) : masks::bits(mask_, head, query, keys);
    }
    bool fits(Index queries, Index keys) const {
        return queries == queries_ && keys == keys_ && masks::fits(mask_, queries, keys);
    }

    const BlockMap& map(Index head = 0) const { return (*maps_)[static_cast<std::size_t>(head)]; }

  private:
    const BlockMap& of(Index head) const { return map(maps_->size() == 1 ? 0 : head); }

    M mask_;
    Index queries_, keys_;
    std::shared_ptr<const std::vector<BlockMap>> maps_;
};

}  // namespace tessera::inline TESSERA_ISA
