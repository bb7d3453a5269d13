// The weight of a key or value layer, cut into the heads it belongs to.
#pragma once
#include <algorithm>
#include <tessera/core/parameter.hpp>
#include <tessera/kernel/matmul/pack.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Which way a head's part of a weight is multiplied.
enum class Transposed : bool {
    no,   // [T, Context] → [T, HeadDim]: y = x · weightᵀ, as Weight does
    yes,  // [T, HeadDim] → [T, Context]: y = x · weight
};

/// A learned matrix, kept in panels of its own for each head. Where i8 is asked for it is kept as bf16: multiplied the other way
/// round, rows are not what a scale belongs to; and the cross-attention of a Q-Former is half a percent of a BLIP-2.
/// shape   [Heads·HeadDim, Context], as Hugging Face stores it
/// cost    as Weight
template <Index Heads, Index HeadDim, Index Context, Transposed Order>
class HeadWeight {
  public:
    static constexpr Index rows = Heads * HeadDim, columns = Context;
    static constexpr std::array<Index, 2> extents{rows, columns};

    void allocate(DType stored = DType::f32) {
        if (is_set() && heads_.front().dtype() == kept_as(stored)) return;
        heads_.clear();
        for (Index h = 0; h < Heads; ++h) heads_.emplace_back(head_out, head_in, kept_as(stored));
    }
    /// As Weight::map.
    void map(DType stored, MappedMemory& memory) {
        heads_.clear();
        for (Index h = 0; h < Heads; ++h) heads_.emplace_back(head_out, head_in, kept_as(stored), memory);
    }
    void for_each_block(auto&& f) const {
        for (const kernel::PackedB& head : heads_) f(head.memory());
    }
    static constexpr Index bytes_as(DType stored) {
        return Heads * kernel::PackedB::bytes_of(head_out, head_in, kept_as(stored));
    }
    /// Sets `count` rows from `first` on; rounds where the stored type is narrower.
    /// errors  Errc::weight_unset before `allocate`
    void write(Index first, const float* values, Index count) {
        TESSERA_EXPECTS(first >= 0 && first + count <= rows);
        if (!is_set()) throw Error(Errc::weight_unset, "HeadWeight of ", Heads, " heads: written before allocate()");
        for (const Index end = first + count; first < end;) {
            const Index row = first % HeadDim, part = std::min(HeadDim - row, end - first);
            kernel::PackedB& head = heads_[static_cast<std::size_t>(first / HeadDim)];
            if constexpr (Order == Transposed::no)
                head.write(row, values, part);
            else
                head.write_inputs(row, values, part);
            first += part;
            values += part * Context;
        }
    }
    void read(Index row, float* out) const {
        const kernel::PackedB& head = packed(row / HeadDim);
        if constexpr (Order == Transposed::no)
            head.read(row % HeadDim, out);
        else
            head.read_input(row % HeadDim, out);
    }

    bool is_set() const { return !heads_.empty(); }
    Index bytes() const {
        Index sum = 0;
        for (const kernel::PackedB& head : heads_) sum += head.bytes();
        return sum;
    }
    const kernel::PackedB& packed(Index head) const { return heads_[static_cast<std::size_t>(head)]; }

  private:
    static constexpr Index head_out = Order == Transposed::no ? HeadDim : Context;
    static constexpr Index head_in = Order == Transposed::no ? Context : HeadDim;
    static constexpr DType kept_as(DType stored) { return stored == DType::i8 ? DType::bf16 : stored; }

    std::vector<kernel::PackedB> heads_;
};

/// The key or value layer of attention: a HeadWeight and a bias.
template <Index Heads, Index HeadDim, Index Context, Transposed Order>
struct HeadLinear {
    HeadWeight<Heads, HeadDim, Context, Order> weight;
    Parameter<Heads * HeadDim> bias;

    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

}  // namespace tessera::inline TESSERA_ISA
