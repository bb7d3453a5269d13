// The classes of all tiles of a mask, found once and kept: what makes a mask without `cover` as fast as one with it.
#pragma once
#include <memory>
#include <tessera/mask/mask.hpp>
#include <utility>
#include <vector>

namespace tessera {

/// How much of each tile of a grid over queries × keys is visible in one head; the last tiles of each direction may be
/// smaller.
/// cost    a byte for each tile; time grows with the tiles inside the range that `keys` gives and outside of the one that
///         `common` gives, and with `allows` only where `cover` does not tell
class Classes {
  public:
    template <Mask M>
    Classes(const M& mask, Index queries, Index keys, Index head = 0, Index rows = 32, Index columns = 32)
        : rows_(rows),
          columns_(columns),
          width_((keys + columns - 1) / columns),
          cells_(static_cast<std::size_t>((queries + rows - 1) / rows * width_), Cover::none) {
        for (Index y = 0; y * rows < queries; ++y) {
            const Range block{y * rows, std::min((y + 1) * rows, queries)};
            const Range seen = visible_keys(mask, block, keys), certain = common_keys(mask, block, keys);
            const auto tile = [&](Index first, Index last) {
                return Tile{head, block, {first * columns, std::min(last * columns, keys)}};
            };
            const auto known = [&](Tile one) {
                return intersection(one.keys, certain) == one.keys ? Cover::all : tessera::cover(mask, one);
            };
            Range live = nowhere;  // in tiles
            const auto set = [&](Index first, Index last, Cover cover) {
                std::fill(cells_.begin() + place(y, first), cells_.begin() + place(y, last), cover);
                if (cover != Cover::none) live = tessera::hull(live, {first, last});
            };
            // Most of a long row is alike: while it is, more and more tiles are asked about at once; fewer where that leaves
            // doubt.
            const Index end = (seen.end + columns - 1) / columns;
            for (Index x = seen.begin / columns, count = 32, next = 0; x < end;) {
                next = std::min(x + count, end);
                Cover cover = known(tile(x, next));
                if (cover == Cover::some && next > x + 1) {
                    count = std::max<Index>((next - x) / 4, 1);
                    continue;
                }
                if (cover == Cover::some && !exact(mask)) cover = cover_by_bits(mask, tile(x, next));
                set(x, next, cover);
                if (cover != Cover::some) count = std::min<Index>(2 * count, 32);
                x = next;
            }
            hulls_.push_back(intersection({live.begin * columns, live.end * columns}, seen));
        }
    }

    Index height() const { return static_cast<Index>(hulls_.size()); }
    Index width() const { return width_; }
    Cover operator()(Index y, Index x) const { return cells_[static_cast<std::size_t>(place(y, x))]; }
    /// What it holds in memory.
    Index bytes() const { return static_cast<Index>(cells_.size() * sizeof(Cover) + hulls_.size() * sizeof(Range)); }
    Index count(Cover cover) const { return std::count(cells_.begin(), cells_.end(), cover); }

    /// What follows for any tile, whether it lies on the grid or not.
    Cover cover(Range queries, Range keys) const {
        const Cover first = (*this)(queries.begin / rows_, keys.begin / columns_);
        for (Index y = queries.begin / rows_; y * rows_ < queries.end; ++y)
            for (Index x = keys.begin / columns_; x * columns_ < keys.end; ++x)
                if (joined((*this)(y, x), first) == Cover::some) return Cover::some;
        return first;
    }
    Range keys(Range queries) const {
        Range seen = nowhere;
        for (Index y = queries.begin / rows_; y * rows_ < queries.end; ++y)
            seen = hull(seen, hulls_[static_cast<std::size_t>(y)]);
        return seen;
    }

  private:
    Index place(Index y, Index x) const { return y * width_ + x; }

    Index rows_, columns_, width_;
    std::vector<Cover> cells_;
    std::vector<Range> hulls_;
};

/// A mask with its classes: made once, used in every head, layer and step.
///     const Classified mask(Where{my_rule}, rows, rows, 1);
/// shape   for `queries` × `keys` and no other size; `heads` is how many heads the mask tells apart: 1 if it does not look
///         at the head at all, or as many as there are
/// cost    queries · keys / 1024 bytes for each of `heads`; copies share them
template <Mask M>
class Classified {
  public:
    Classified(M mask, Index queries, Index keys, Index heads, Index rows = 32, Index columns = 32)
        : mask_(std::move(mask)), queries_(queries), keys_(keys) {
        TESSERA_EXPECTS(heads >= 1);
        std::vector<Classes> classes;
        for (Index head = 0; head < heads; ++head) classes.emplace_back(mask_, queries, keys, head, rows, columns);
        classes_ = std::make_shared<const std::vector<Classes>>(std::move(classes));
    }

    bool allows(Site at) const { return mask_.allows(at); }
    Cover cover(Tile tile) const {
        return classes(classes_->size() == 1 ? 0 : tile.head).cover(tile.queries, tile.keys);
    }
    Range keys(Range queries) const {
        Range seen = nowhere;
        for (const Classes& one : *classes_) seen = hull(seen, one.keys(queries));
        return seen;
    }
    Range common(Range queries) const { return common_keys(mask_, queries, keys_); }
    std::uint64_t bits(Index head, Index query, Range keys) const { return visible_bits(mask_, head, query, keys); }
    bool fits(Index queries, Index keys) const {
        return queries == queries_ && keys == keys_ && tessera::fits(mask_, queries, keys);
    }

    const Classes& classes(Index head = 0) const { return (*classes_)[static_cast<std::size_t>(head)]; }

  private:
    M mask_;
    Index queries_, keys_;
    std::shared_ptr<const std::vector<Classes>> classes_;
};

}  // namespace tessera
