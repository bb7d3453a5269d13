// Memory for temporaries: taken in order, given back frame by frame, kept for the next pass.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <tessera/core/products.hpp>
#include <tessera/core/record.hpp>
#include <tessera/core/tensor.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

namespace detail {
/// Blocks of memory that are filled one after another, and stay when they are given back.
struct Arena {
    /// How far it is filled: blocks before `block`, and `used` bytes of that one.
    struct Place {
        std::size_t block = 0;
        Index used = 0;
    };
    static constexpr Index smallest_block = Index{1} << 20;

    std::vector<Buffer<std::byte>> blocks;  // never moved while something taken from them lives
    Place at;

    /// A piece of `bytes`, which are a multiple of a cache line.
    std::byte* take(Index bytes) {
        while (at.block < blocks.size() && at.used + bytes > blocks[at.block].size()) at = {at.block + 1, 0};
        if (at.block == blocks.size()) blocks.emplace_back(std::max(bytes, smallest_block));
        std::byte* const p = blocks[at.block].data() + at.used;
        at.used += bytes;
        return p;
    }
    Index capacity() const {
        Index bytes = 0;
        for (const auto& block : blocks) bytes += block.size();
        return bytes;
    }
};
}  // namespace detail

/// An arena for one thread's forward passes. What is taken lives until the frame it was taken in ends: open one around each
/// pass, `const auto frame = scratch.frame();`, and leave it when its results are no longer needed.
/// errors  std::bad_alloc; Errc::scratch_frame when more and more is taken outside of any frame, where nothing is given back
/// cost    grows on the first pass of a size; a second pass of the same size allocates nothing
class Scratch {
  public:
    Scratch() = default;
    explicit Scratch(Recorder& recorder) : recorder_(&recorder) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    /// `count` values of T, not initialised, aligned to a cache line.
    template <class T>
    T* take(Index count) {
        static_assert(std::is_trivially_copyable_v<T>);
        if (frames_ == 0 && !keeps()) count_unframed();
        const Index bytes = (count * Index{sizeof(T)} + Index{alignment} - 1) / Index{alignment} * Index{alignment};
        std::byte* const p = arena_.take(bytes);
        if (keeps()) recorder_->took(p, bytes);
        return reinterpret_cast<T*>(p);
    }

    /// `count` rows of `Width` floats, not initialised.
    template <Index Width>
    Rows<Width> rows(Index count) {
        return {take<float>(count * Width), {count, Width}};
    }

    /// Gives back, when it ends, all that was taken since it began; nothing where the recorder has kept a record meanwhile.
    class Frame {
      public:
        explicit Frame(Scratch& scratch) : scratch_(scratch), at_(scratch.arena_.at), kept_(scratch.kept()) {
            ++scratch_.frames_;
        }
        Frame(const Frame&) = delete;
        Frame& operator=(const Frame&) = delete;
        ~Frame() {
            --scratch_.frames_;
            if (scratch_.keeps()) {
                if (scratch_.kept().records != kept_.records) return;
                scratch_.recorder_->gave_back(kept_.pieces);
            }
            scratch_.arena_.at = at_;
        }

      private:
        Scratch& scratch_;
        detail::Arena::Place at_;
        Recorder::Kept kept_;
    };
    [[nodiscard]] Frame frame() { return Frame(*this); }

    /// Tells the recorder, as long as it lives, that what runs is one block of a stack.
    class Block {
      public:
        explicit Block(Scratch& scratch) : recorder_(scratch.recorder_) {
            if (recorder_ != nullptr) recorder_->begin_block();
        }
        Block(const Block&) = delete;
        Block& operator=(const Block&) = delete;
        ~Block() {
            if (recorder_ != nullptr) recorder_->end_block();
        }

      private:
        Recorder* recorder_;
    };
    [[nodiscard]] Block block() { return Block(*this); }

    /// Open as long as what runs is a part of a model that drops in training: only there layers ask for dropout.
    class Dropping {
      public:
        explicit Dropping(Scratch& scratch) : scratch_(scratch) { ++scratch_.dropping_; }
        Dropping(const Dropping&) = delete;
        Dropping& operator=(const Dropping&) = delete;
        ~Dropping() { --scratch_.dropping_; }

      private:
        Scratch& scratch_;
    };
    [[nodiscard]] Dropping dropping() { return Dropping(*this); }
    /// What a layer is to drop now, of as many `streams` of numbers: nothing but where it runs under `dropping`, on a tape with dropout.
    Dropout next_dropout(DropoutSite site, Index streams = 1) const {
        return dropping_ == 0 || recorder_ == nullptr ? Dropout{} : recorder_->dropout_for(site, streams);
    }

    /// From now on, products whose weights are stored as bf16 are in that arithmetic, and on a tape their gradients, too. Of what learns
    /// the gradient stays that of f32.
    void set_products(Products products) { products_ = products; }
    Products products() const { return products_; }

    /// Gives back everything; what was taken is gone.
    void clear() {
        arena_.at = {};
        unframed_ = 0;
        if (keeps()) recorder_->gave_back(0);
    }

    /// Whether a recorder wants everything to stay; see Recorder::keeps.
    bool keeps() const { return recorder_ != nullptr && recorder_->keeps(); }
    /// Whether there is one.
    bool records() const { return recorder_ != nullptr; }
    /// Passes a record to the recorder, if there is one.
    template <class Op>
    void record(const Op& op) const {
        if (recorder_ != nullptr) recorder_->on(op);
    }
    template <class T, Index Width>
    void name(std::string_view what, Index index, View<T, dyn, Width> x) const {
        record(Named{what, index, x.data(), x.extent(0), x.extent(1)});
    }

    /// Bytes it holds.
    Index capacity() const { return arena_.capacity(); }

  protected:
    detail::Arena arena_;  // where the next piece is taken from

  private:
    // Results outside of frames are kept for good. So many of them are a loop without a frame.
    static constexpr Index most_unframed = 256, most_unframed_bytes = Index{256} << 20;

    Recorder::Kept kept() const { return keeps() ? recorder_->kept() : Recorder::Kept{}; }
    void count_unframed() {
        if (++unframed_ > most_unframed && capacity() > most_unframed_bytes)
            throw Error(Errc::scratch_frame, "Scratch: expected a frame around each pass, found ", unframed_,
                        " results outside of any, which stay for good; write `const auto frame = scratch.frame();`");
    }

    Index frames_ = 0, unframed_ = 0;  // open frames; what was taken outside of them
    Index dropping_ = 0;               // open parts that drop
    Products products_ = Products::f32;
    Recorder* recorder_ = nullptr;
};

}  // namespace tessera::inline TESSERA_ISA
