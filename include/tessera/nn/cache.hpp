// Keys and values of what was read before, so that a decoder reads each token once.
#pragma once
#include <tessera/core/tensor.hpp>

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

    KeyValueCache(Index layers, Index capacity) : capacity_(capacity), values_(2 * layers * capacity * Width) {}

    Layer layer(Index i) { return {{at(2 * i), {capacity_, Width}}, {at(2 * i + 1), {capacity_, Width}}, length}; }
    Index capacity() const { return capacity_; }
    Index bytes() const { return values_.size() * Index{sizeof(float)}; }

    Index length = 0;  // rows that are filled in every layer

  private:
    float* at(Index plane) { return values_.data() + plane * capacity_ * Width; }

    Index capacity_;
    Buffer<float> values_;
};

}  // namespace tessera::inline TESSERA_ISA
