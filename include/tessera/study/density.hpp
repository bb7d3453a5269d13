// How much of a mask is visible, tile by tile: what it should cost.
#pragma once
#include <bit>
#include <tessera/mask/mask.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The visible scores of one head, counted in each tile of a grid.
/// cost    a word of `visible_bits` for each 64 scores of the tiles of which `cover` does not tell
class Density {
  public:
    template <Mask M>
    Density(const M& mask, Index queries, Index keys, Index head = 0, Index rows = 32, Index columns = 32)
        : queries_(queries), keys_(keys), rows_(rows), columns_(columns) {
        counts_.reserve(static_cast<std::size_t>(height() * width()));
        for (Index y = 0; y < height(); ++y)
            for (Index x = 0; x < width(); ++x) counts_.push_back(count(mask, tile(head, y, x)));
    }

    Index height() const { return (queries_ + rows_ - 1) / rows_; }
    Index width() const { return (keys_ + columns_ - 1) / columns_; }
    Index tiles() const { return height() * width(); }
    /// The visible part of a tile, from 0 to 1.
    double share(Index y, Index x) const {
        return static_cast<double>(visible(y, x)) / static_cast<double>(area(y, x));
    }
    Cover cover(Index y, Index x) const {
        return visible(y, x) == 0 ? Cover::empty : visible(y, x) == area(y, x) ? Cover::full : Cover::partial;
    }
    /// How many tiles are like that.
    Index count(Cover cover) const {
        Index found = 0;
        for (Index y = 0; y < height(); ++y)
            for (Index x = 0; x < width(); ++x) found += this->cover(y, x) == cover;
        return found;
    }

    /// How many scores are visible, and which part of all scores that is.
    Index visible() const {
        Index sum = 0;
        for (const Index one : counts_) sum += one;
        return sum;
    }
    double share() const { return part(visible()); }
    /// Which part of all scores lies in tiles where something is visible: what a kernel with such tiles has to compute.
    double live_share() const {
        Index sum = 0;
        for (Index y = 0; y < height(); ++y)
            for (Index x = 0; x < width(); ++x) sum += visible(y, x) == 0 ? 0 : area(y, x);
        return part(sum);
    }
    /// How much faster than without a mask it can be, if time goes with the live tiles; ∞ if nothing is visible.
    double speed_up() const { return 1.0 / live_share(); }

  private:
    Tile tile(Index head, Index y, Index x) const {
        return {head,
                {y * rows_, std::min((y + 1) * rows_, queries_)},
                {x * columns_, std::min((x + 1) * columns_, keys_)}};
    }
    Index area(Index y, Index x) const {
        const Tile one = tile(0, y, x);
        return one.queries.size() * one.keys.size();
    }
    Index visible(Index y, Index x) const { return counts_[static_cast<std::size_t>(y * width() + x)]; }
    double part(Index scores) const {
        return queries_ * keys_ == 0 ? 0.0 : static_cast<double>(scores) / static_cast<double>(queries_ * keys_);
    }

    template <Mask M>
    static Index count(const M& mask, Tile tile) {
        const Cover told = masks::cover(mask, tile);
        if (told == Cover::empty) return 0;
        if (told == Cover::full) return tile.queries.size() * tile.keys.size();
        Index sum = 0;
        for (Index query = tile.queries.begin; query < tile.queries.end; ++query)
            for (Index key = tile.keys.begin; key < tile.keys.end; key += 64)
                sum += std::popcount(masks::bits(mask, tile.head, query, {key, std::min(key + 64, tile.keys.end)}));
        return sum;
    }

    Index queries_, keys_, rows_, columns_;
    std::vector<Index> counts_;
};

}  // namespace tessera::inline TESSERA_ISA
