// The gradients by the rows that a forward pass has computed, while the backward pass is on its way through them.
#pragma once
#include <algorithm>
#include <bit>
#include <tessera/core/tensor.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Where a part of a gradient goes: it is written, or added to what is there. Nowhere where nobody wants it.
struct GradientTarget {
    float* to = nullptr;
    bool add = false;

    explicit operator bool() const { return to != nullptr; }
    /// For who adds number by number: the same place, its first `count` numbers 0 where nothing has been written. Null where nobody
    /// wants it.
    float* added_to(Index count) const {
        if (to != nullptr && !add) std::fill_n(to, count, 0.0f);
        return to;
    }
};

/// Knows the pieces of memory that a forward pass has taken, and which of them a gradient comes to. A piece's gradient is there
/// from the first part of it that the backward pass adds until the record that wrote the piece first is done.
/// cost    no allocation once passes of the same sizes have been seen
class RowGradients {
  public:
    static constexpr Index no_block = -1;

    /// The next piece, of the block that is open.
    void took(const void* memory, Index bytes) {
        const auto* const begin = static_cast<const std::byte*>(memory);
        if (runs_.empty() || runs_.back().end != begin || runs_.back().block != open_)
            runs_.push_back({begin, begin, pieces(), open_});
        runs_.back().end = begin + bytes;
        pieces_.push_back({begin, bytes, unwritten, false, {}});
    }
    Index pieces() const { return static_cast<Index>(pieces_.size()); }
    /// Bytes that were taken; of blocks, which use the same memory, those of the largest.
    Index bytes() const {
        Index outside = 0, largest = 0, of_block = 0, block = no_block;
        for (const Run& run : runs_) {
            if (run.block == no_block) {
                outside += run.end - run.begin;
                continue;
            }
            of_block = (run.block == block ? of_block : 0) + (run.end - run.begin);
            block = run.block;
            largest = std::max(largest, of_block);
        }
        return outside + largest;
    }
    /// Forgets all but the first `count`.
    void give_back(Index count) {
        while (pieces() > count) {
            keep(pieces_.back());
            runs_.back().end = pieces_.back().begin;
            pieces_.pop_back();
            if (runs_.back().first == pieces()) runs_.pop_back();
        }
    }
    /// Blocks use the same memory one after another: from now on, addresses are those of this one, or of none.
    void open(Index block) { open_ = block; }

    /// Whether a gradient comes to the rows that begin at `x`.
    bool needs(const float* x) const {
        const Piece* const piece = find(x);
        return piece != nullptr && piece->needed;
    }
    /// A gradient comes to the rows at `y`, which record `record` writes.
    /// errors  Errc::tape_memory where they lie elsewhere
    void need(const float* y, Index record) {
        Piece* const piece = find(y);
        if (piece == nullptr)
            throw Error(
                Errc::tape_memory,
                "Tape: a parameter that learns has a part in rows that lie outside of the tape; expected all of a "
                "model's rows, caches included, to be taken from it");
        piece->needed = true;
        piece->writer = std::min(piece->writer, record);
    }

    /// The gradient by the rows at `y`; null where none has come.
    float* at(const float* y) {
        Piece* const piece = find(y);
        return piece == nullptr || piece->gradient.data() == nullptr ? nullptr : in(*piece, y);
    }
    /// Where the gradient by rows at `x`, so far apart, is to be added.
    GradientTarget into(const float* x, Index rows, Index width, Index stride) {
        Piece* const piece = find(x);
        if (piece == nullptr || !piece->needed) return {};
        if (piece->gradient.data() != nullptr) return {in(*piece, x), true};
        piece->gradient = unused(piece->bytes);
        // What covers all of a piece, but for what rounds it up to a cache line, need not be added to zeros.
        const bool whole = begin(*piece) == x && width == stride &&
                           (rows * width * Index{sizeof(float)} + Index{alignment} - 1) / Index{alignment} ==
                               piece->bytes / Index{alignment};
        if (!whole) std::fill_n(piece->gradient.data(), piece->bytes / Index{sizeof(float)}, 0.0f);
        return {in(*piece, x), !whole};
    }
    GradientTarget into(const float* x, Index count) { return into(x, 1, count, count); }

    /// Record `record`, which has written rows at `y`, is done.
    void release(const float* y, Index record) {
        if (Piece* const piece = find(y); piece != nullptr && piece->writer >= record) keep(*piece);
    }

  private:
    static constexpr Index unwritten = PTRDIFF_MAX;
    struct Piece {
        const std::byte* begin;
        Index bytes;
        Index writer;  // the first record that a gradient goes through
        bool needed;
        Buffer<float> gradient;
    };
    /// Pieces that lie one behind another.
    struct Run {
        const std::byte *begin, *end;
        Index first;  // of `pieces_`
        Index block;
    };

    static const float* begin(const Piece& piece) { return reinterpret_cast<const float*>(piece.begin); }
    static float* in(Piece& piece, const float* x) { return piece.gradient.data() + (x - begin(piece)); }

    Piece* find(const float* x) { return const_cast<Piece*>(std::as_const(*this).find(x)); }
    const Piece* find(const float* x) const {
        const auto* const at = reinterpret_cast<const std::byte*>(x);
        for (std::size_t i = runs_.size(); i-- > 0;) {
            const Run& run = runs_[i];
            if (at < run.begin || at >= run.end || (run.block != no_block && run.block != open_)) continue;
            const auto first = pieces_.begin() + run.first;
            const auto last = i + 1 < runs_.size() ? pieces_.begin() + runs_[i + 1].first : pieces_.end();
            return &*std::prev(std::upper_bound(
                first, last, at, [](const std::byte* a, const Piece& piece) { return a < piece.begin; }));
        }
        return nullptr;
    }

    /// Memory for a gradient: sizes are rounded up, so that texts of other lengths find what is there.
    Buffer<float> unused(Index bytes) {
        const auto count = static_cast<std::uint64_t>(bytes / Index{sizeof(float)});
        const std::uint64_t step = std::max<std::uint64_t>(std::bit_floor(count) / 8, 16);
        const auto size = static_cast<Index>((count + step - 1) / step * step);
        for (std::size_t i = unused_.size(); i-- > 0;)
            if (unused_[i].size() == size) {
                std::swap(unused_[i], unused_.back());
                Buffer<float> found = std::move(unused_.back());
                unused_.pop_back();
                return found;
            }
        return Buffer<float>(size);
    }
    void keep(Piece& piece) {
        if (piece.gradient.data() != nullptr) unused_.push_back(std::exchange(piece.gradient, {}));
    }

    std::vector<Piece> pieces_;  // in the order in which they were taken
    std::vector<Run> runs_;
    Index open_ = no_block;
    std::vector<Buffer<float>> unused_;
};

}  // namespace tessera::inline TESSERA_ISA
