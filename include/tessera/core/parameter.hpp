// Learned numbers that are used element by element: biases, gains, positions, queries.
#pragma once
#include <algorithm>
#include <tessera/core/dtype.hpp>
#include <tessera/core/tensor.hpp>

namespace tessera::inline TESSERA_ISA {

/// What `for_each_parameter` arrives at: learned numbers of fixed extents, filled row by row by whoever has the values;
/// blocks of 48 rows may be written by several threads at once. It may take rows of bf16 too.
template <class P>
concept Leaf = requires(P& leaf, const P& constant, const float* values, float* out, Index row, DType stored) {
    { P::rows } -> std::convertible_to<Index>;
    { P::columns } -> std::convertible_to<Index>;
    leaf.allocate(stored);
    leaf.write(row, values, row);
    constant.read(row, out);
    { constant.is_set() } -> std::same_as<bool>;
    { constant.bytes() } -> std::same_as<Index>;
};

/// Learned numbers, kept as float, without memory until `allocate`.
/// shape   Extents...; as rows and columns: the first extent × the product of the others (one row where there is one
/// extent)
template <Index... Extents>
class Parameter {
  public:
    static constexpr std::array<Index, sizeof...(Extents)> extents{Extents...};
    static constexpr Index size = (Extents * ... * 1);
    static constexpr Index rows = extents.size() < 2 ? 1 : extents.front();
    static constexpr Index columns = rows == 0 ? 0 : size / rows;

    void allocate(DType = DType::f32) {
        if (!is_set()) values_ = Buffer<float>(size);
    }
    /// Takes its numbers from `memory`, where they lie as `for_each_block` has handed them out.
    void map(DType, MappedMemory& memory) { values_ = memory.take<float>(size); }
    /// f(bytes) for each block of memory that it has.
    void for_each_block(auto&& f) const { f(std::as_bytes(view().span())); }
    /// Bytes that it takes where matrices are kept as that type.
    static constexpr Index bytes_as(DType) { return size * Index{sizeof(float)}; }
    /// Sets `count` rows from `first` on.
    /// errors  Errc::weight_unset before `allocate`
    void write(Index first, const float* values, Index count) {
        TESSERA_EXPECTS(first >= 0 && first + count <= rows);
        require_memory("written");
        std::copy_n(values, count * columns, values_.data() + first * columns);
    }
    void read(Index row, float* out) const {
        require_memory("read");
        std::copy_n(values_.data() + row * columns, columns, out);
    }
    void fill(float value) {
        allocate();
        std::fill_n(values_.data(), size, value);
    }

    bool is_set() const { return size == 0 || values_.size() != 0; }
    Index bytes() const { return values_.size() * Index{sizeof(float)}; }
    float* data() { return values_.data(); }
    const float* data() const { return values_.data(); }
    View<const float, Extents...> view() const { return {values_.data(), extents}; }

  private:
    void require_memory(const char* what) const {
        if (!is_set()) throw Error(Errc::weight_unset, "Parameter of ", size, " numbers: ", what, " before allocate()");
    }

    Buffer<float> values_;
};

}  // namespace tessera::inline TESSERA_ISA
