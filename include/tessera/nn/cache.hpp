// Keys and values of what was read before, so that a decoder reads each token once.
#pragma once
#include <cstddef>
#include <span>
#include <tessera/core/dtype.hpp>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/mask/mask_ref.hpp>
#include <tessera/mask/score_mod/score_mod_ref.hpp>
#include <tessera/nn/embedding.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Keys and values of rows, as attention reads them.
/// shape   [S, Width] each
template <Index Width, class T = float>
struct KeyValues {
    View<const T, dyn, Width> keys, values;
};

/// The keys and values of one sequence in every layer of a decoder, as f32, or as bf16: rounded when they are written, widened when
/// they are read.
/// shape   per layer [capacity, Width] keys and as many values; the first `length` rows are filled
/// cost    8·layers·capacity·Width bytes, half of it in bf16
template <Index Width>
class KeyValueCache {
  public:
    /// One layer of it: all rows there is room for, of which the first `length` hold what was read before.
    struct Layer {
        Rows<Width> keys, values;
        Index length;
    };

    KeyValueCache(Index layers, Index capacity, DType stored = DType::f32)
        : capacity_(capacity), stored_(stored), memory_(2 * layers * capacity * Width * bits(stored) / 8) {
        TESSERA_EXPECTS(stored == DType::f32 || stored == DType::bf16);
        positions.reserve(static_cast<std::size_t>(capacity));
    }

    /// A layer of a cache of f32.
    Layer layer(Index i) {
        TESSERA_EXPECTS(stored_ == DType::f32);
        return {{at<float>(2 * i), {capacity_, Width}}, {at<float>(2 * i + 1), {capacity_, Width}}, length};
    }
    /// f(the first `rows` rows of layer i), which are KeyValues<Width> or KeyValues<Width, bf16>.
    void read(Index i, Index rows, const auto& f) {
        const auto as = [&]<class T>(T) {
            f(KeyValues<Width, T>{{at<T>(2 * i), {rows, Width}}, {at<T>(2 * i + 1), {rows, Width}}});
        };
        stored_ == DType::bf16 ? as(bf16{}) : as(0.0f);
    }
    /// Sets the rows of layer i from `first` on.
    void write(Index i, Index first, const KeyValues<Width>& from, Scratch& s) {
        const Index count = from.keys.extent(0);
        TESSERA_EXPECTS(first + count <= capacity_);
        const auto set = [&](Index plane, ConstRows<Width> rows) {
            if (stored_ == DType::bf16)
                kernel::to_bf16(at<bf16>(plane) + first * Width, Width, rows.data(), Width, count, Width);
            else
                copy_rows(Rows<Width>(at<float>(plane) + first * Width, {count, Width}), rows, s);
        };
        set(2 * i, from.keys);
        set(2 * i + 1, from.values);
    }
    Index capacity() const { return capacity_; }
    Index bytes() const { return memory_.size(); }
    DType dtype() const { return stored_; }

    /// Says that rows at these places of the text are filled now in every layer, after the `length` others.
    void advance(std::span<const Index> places) {
        positions.resize(static_cast<std::size_t>(length));
        positions.insert(positions.end(), places.begin(), places.end());
        length += static_cast<Index>(places.size());
    }

    Index length = 0;              // rows that are filled in every layer; set it back to forget the last ones
    std::vector<Index> positions;  // of these rows in the text: several that continue it differently may share one

  private:
    template <class T>
    T* at(Index plane) {
        return reinterpret_cast<T*>(memory_.data()) + plane * capacity_ * Width;
    }

    Index capacity_;
    DType stored_;
    Buffer<std::byte> memory_;
};

/// Rows that are to follow what a cache holds: one text's share of a batch.
template <class Cache>
struct Continuation {
    Cache* cache;
    Index rows;                        // how many of the batch's rows, which lie one text after another
    MaskRef mask;                      // [rows, cache->length + rows]
    std::span<const Index> positions;  // [rows], places in the text
    ScoreModRef score_mod = {};        // set by decoders whose scores depend on positions
};

}  // namespace tessera::inline TESSERA_ISA
