// The keys and values that attention's forward pass works on, copied together a block at a time.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/kernel/attention/key_spans.hpp>
#include <tessera/kernel/row/pack_rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// The most keys of a block of keys, so that the scores of a block stay in the first-level cache.
inline constexpr Index kv_block_keys = 192;

/// Keys of a block of keys for heads of `dim`, so that their keys and values stay in the second-level cache: a multiple of what
/// the tiles take.
constexpr Index kv_block_size(Index dim) {
    return std::clamp<Index>(kv_block_keys * 128 / std::max<Index>(dim, 1) / 12 * 12, 48, kv_block_keys);
}

/// From row to row of a block of keys: an odd number of lines, so that a column's numbers are spread over the whole cache.
constexpr Index kv_block_stride(Index dim) { return ((dim + 15) / 16 | 1) * 16; }

/// The keys and values of one head in a block.
class KvBlock {
  public:
    /// shape   memory: floats(dim) of them; k, v: row 0 of the head's keys and values
    template <class T>
    KvBlock(float* memory, Index dim, const T* k, Index k_stride, const T* v, Index v_stride)
        : dim_(dim),
          stride_(kv_block_stride(dim)),
          shared_(k == v && k_stride == v_stride),
          k_(memory),
          v_(shared_ ? memory : memory + kv_block_size(dim) * stride_),
          sources_{source(k, k_stride), source(v, v_stride)} {}
    static Index floats(Index dim) { return 2 * kv_block_size(dim) * kv_block_stride(dim); }

    /// From now on the block begins at key `begin`; nothing has been copied.
    void move_to(Index begin) {
        begin_ = begin;
        copied_.fill(Copied::nothing);
    }

    /// Makes sure that the keys and values of `spans` are there, a block of tile_keys at a time.
    /// shape   T: the type the block was made with; `end` is where the keys do
    template <class T>
    void need(const KeySpan* spans, Index count, Index end) {
        for (const KeySpan* span = spans; span != spans + count; ++span)
            for (Index b = block(span->key); b <= block(span->key + span->count - 1); ++b) {
                Copied& copied = copied_[static_cast<std::size_t>(b)];
                if (copied != Copied::nothing) continue;
                const Range keys{begin_ + b * tile_keys, std::min(begin_ + (b + 1) * tile_keys, end)};
                const bool finite = copy<T>(v_, sources_[1], keys, end);
                if (!shared_) copy<T>(k_, sources_[0], keys, end);
                copied = finite ? Copied::finite : Copied::not_finite;
            }
    }

    const float* keys(Index key) const { return k_ + (key - begin_) * stride_; }
    const float* values(Index key) const { return v_ + (key - begin_) * stride_; }
    Index stride() const { return stride_; }
    /// Whether no value of a span is infinite or NaN; may be false without need.
    bool finite(const KeySpan& span) const {
        for (Index b = block(span.key); b <= block(span.key + span.count - 1); ++b)
            if (copied_[static_cast<std::size_t>(b)] != Copied::finite) return false;
        return true;
    }

  private:
    enum class Copied : char { nothing, finite, not_finite };

    Index block(Index key) const { return (key - begin_) / tile_keys; }

    /// Rows of numbers of any type, `stride` bytes apart.
    struct Source {
        const char* rows;
        Index stride;
    };
    template <class T>
    static Source source(const T* rows, Index stride) {
        constexpr Index bytes = sizeof(T);
        return {reinterpret_cast<const char*>(rows), stride * bytes};
    }

    template <class T>
    bool copy(float* to, const Source& source, Range keys, Index end) {
        return pack_rows_check_finite(to + (keys.begin - begin_) * stride_, stride_,
                                      reinterpret_cast<const T*>(source.rows + keys.begin * source.stride),
                                      source.stride / Index{sizeof(T)}, keys.size(), dim_, end - keys.end);
    }

    Index dim_, stride_, begin_ = 0;
    bool shared_;
    float *k_, *v_;
    std::array<Source, 2> sources_;
    std::array<Copied, static_cast<std::size_t>(kv_block_keys / tile_keys)> copied_{};
};

}  // namespace tessera::inline TESSERA_ISA::kernel
