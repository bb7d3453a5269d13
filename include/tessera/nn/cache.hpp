// Keys and values of what was read before, so that a decoder reads each token once.
#pragma once
#include <span>
#include <tessera/core/tensor.hpp>
#include <tessera/mask/mask_ref.hpp>
#include <tessera/mask/score_mod/score_mod_ref.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Keys and values of rows, as attention reads them.
/// shape   [S, Width] each
template <Index Width>
struct KeyValues {
    ConstRows<Width> keys, values;
};

/// The keys and values of one sequence in every layer of a decoder.
/// shape   per layer [capacity, Width] keys and as many values; the first `length` rows are filled
/// cost    8·layers·capacity·Width bytes
template <Index Width>
class KeyValueCache {
  public:
    /// One layer of it: all rows there is room for, of which the first `length` hold what was read before.
    struct Layer {
        Rows<Width> keys, values;
        Index length;

        KeyValues<Width> filled() const { return {keys.slice(0, length), values.slice(0, length)}; }
    };

    KeyValueCache(Index layers, Index capacity) : capacity_(capacity), values_(2 * layers * capacity * Width) {
        positions.reserve(static_cast<std::size_t>(capacity));
    }

    Layer layer(Index i) { return {{at(2 * i), {capacity_, Width}}, {at(2 * i + 1), {capacity_, Width}}, length}; }
    Index capacity() const { return capacity_; }
    Index bytes() const { return values_.size() * Index{sizeof(float)}; }

    /// Says that rows at these places of the text are filled now in every layer, after the `length` others.
    void advance(std::span<const Index> places) {
        positions.resize(static_cast<std::size_t>(length));
        positions.insert(positions.end(), places.begin(), places.end());
        length += static_cast<Index>(places.size());
    }

    Index length = 0;              // rows that are filled in every layer; set it back to forget the last ones
    std::vector<Index> positions;  // of these rows in the text: several that continue it differently may share one

  private:
    float* at(Index plane) { return values_.data() + plane * capacity_ * Width; }

    Index capacity_;
    Buffer<float> values_;
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
