// Keys and values of what was read before, so that a decoder reads each token once.
#pragma once
#include <tessera/core/tensor.hpp>

namespace tessera::inline TESSERA_ISA {

/// The keys and values of one sequence in every layer of a decoder.
/// shape   per layer [capacity, Width] keys and as many values; the first `length` rows are filled
/// cost    8·layers·capacity·Width bytes
template <Index Width>
class KeyValueCache {
  public:
    KeyValueCache(Index layers, Index capacity) : capacity_(capacity), values_(2 * layers * capacity * Width) {}

    Rows<Width> keys(Index layer) { return {at(2 * layer), {capacity_, Width}}; }
    Rows<Width> values(Index layer) { return {at(2 * layer + 1), {capacity_, Width}}; }
    Index capacity() const { return capacity_; }
    Index bytes() const { return values_.size() * Index{sizeof(float)}; }

    Index length = 0;  // rows that are filled in every layer

  private:
    float* at(Index plane) { return values_.data() + plane * capacity_ * Width; }

    Index capacity_;
    Buffer<float> values_;
};

}  // namespace tessera::inline TESSERA_ISA
