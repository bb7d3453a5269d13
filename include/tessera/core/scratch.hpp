// Memory for temporaries: taken in order, given back frame by frame, kept for the next pass.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <tessera/core/record.hpp>
#include <tessera/core/tensor.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

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
        while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size()) {
            ++block_;
            used_ = 0;
        }
        if (block_ == blocks_.size()) blocks_.emplace_back(std::max(bytes, smallest_block));
        std::byte* p = blocks_[block_].data() + used_;
        used_ += bytes;
        return reinterpret_cast<T*>(p);
    }

    /// `count` rows of `Width` floats, not initialised.
    template <Index Width>
    Rows<Width> rows(Index count) {
        return {take<float>(count * Width), {count, Width}};
    }

    /// Gives back, when it ends, all that was taken since it began; nothing where the recorder keeps it.
    class Frame {
      public:
        explicit Frame(Scratch& scratch) : scratch_(scratch), block_(scratch.block_), used_(scratch.used_) {
            ++scratch_.frames_;
        }
        Frame(const Frame&) = delete;
        Frame& operator=(const Frame&) = delete;
        ~Frame() {
            --scratch_.frames_;
            if (!scratch_.keeps()) scratch_.give_back(block_, used_);
        }

      private:
        Scratch& scratch_;
        std::size_t block_;
        Index used_;
    };
    [[nodiscard]] Frame frame() { return Frame(*this); }

    /// Gives back everything; what was taken is gone.
    void clear() {
        give_back(0, 0);
        unframed_ = 0;
    }

    /// Whether a recorder wants everything to stay; see Recorder::keeps.
    bool keeps() const { return recorder_ != nullptr && recorder_->keeps(); }
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
    Index capacity() const {
        Index bytes = 0;
        for (const auto& block : blocks_) bytes += block.size();
        return bytes;
    }

  private:
    static constexpr Index smallest_block = Index{1} << 20;
    // Results outside of frames are kept for good. So many of them are a loop without a frame.
    static constexpr Index most_unframed = 256, most_unframed_bytes = Index{256} << 20;

    void give_back(std::size_t block, Index used) {
        block_ = block;
        used_ = used;
    }
    void count_unframed() {
        if (++unframed_ > most_unframed && capacity() > most_unframed_bytes)
            throw Error(Errc::scratch_frame, "Scratch: expected a frame around each pass, found ", unframed_,
                        " results outside of any, which stay for good; write `const auto frame = scratch.frame();`");
    }

    std::vector<Buffer<std::byte>> blocks_;  // never moved while something taken from them lives
    std::size_t block_ = 0;                  // the block that is being filled
    Index used_ = 0;                         // bytes of it that are taken
    Index frames_ = 0, unframed_ = 0;        // open frames; what was taken outside of them
    Recorder* recorder_ = nullptr;
};

}  // namespace tessera::inline TESSERA_ISA
