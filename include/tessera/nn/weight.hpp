// A matrix that rows are multiplied by, packed for that once.
#pragma once
#include <tessera/core/parameter.hpp>
#include <tessera/kernel/matmul/pack.hpp>

namespace tessera::inline TESSERA_ISA {

/// A learned matrix, kept as f32, bf16, f16 or i8 in the panels of the matrix multiplication.
/// shape   [Out, In], as Hugging Face stores it: y = x · weightᵀ
/// cost    Out·In numbers of 4, 2 or 1 byte, without memory until `allocate`
template <Index Out, Index In>
class Weight {
  public:
    static constexpr Index rows = Out, columns = In;
    static constexpr std::array<Index, 2> extents{Out, In};

    void allocate(DType stored = DType::f32) {
        if (!is_set() || packed_.dtype() != stored) packed_ = kernel::PackedB(Out, In, stored);
    }
    /// Takes its numbers from `memory`, where they lie as `for_each_block` has handed them out.
    void map(DType stored, MappedMemory& memory) { packed_ = kernel::PackedB(Out, In, stored, memory); }
    /// f(bytes) for each block of memory that it has.
    void for_each_block(auto&& f) const { f(packed_.memory()); }
    /// Bytes that it takes as that type.
    static constexpr Index bytes_as(DType stored) { return kernel::PackedB::bytes_of(Out, In, stored); }
    /// Sets `count` rows from `first` on; rounds where the stored type is narrower.
    /// errors  Errc::weight_unset before `allocate`
    void write(Index first, const float* values, Index count) { memory().write(first, values, count); }
    void write(Index first, const bf16* values, Index count) { memory().write(first, values, count); }
    void read(Index row, float* out) const { packed_.read(row, out); }
    /// Sets all of it.
    void assign(View<const float, Out, In> values, DType stored = DType::f32) {
        allocate(stored);
        write(0, values.data(), Out);
    }

    bool is_set() const { return !packed_.empty(); }
    Index bytes() const { return packed_.bytes(); }
    const kernel::PackedB& packed() const { return packed_; }

  private:
    kernel::PackedB& memory() {
        if (is_set()) return packed_;
        throw Error(Errc::weight_unset, "Weight<", Out, ", ", In, ">: written before allocate()");
    }

    kernel::PackedB packed_;
};

}  // namespace tessera::inline TESSERA_ISA
