// What every step of a backward pass has at hand.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/train/gradients.hpp>
#include <tessera/train/row_gradients.hpp>

namespace tessera::inline TESSERA_ISA {

struct BackwardContext {
    RowGradients& rows;
    Gradients& leaves;
    Scratch& scratch;  // a plain one, for temporaries

    /// to += x, or to = x, number by number; the rows of both begin `stride` apart.
    static void add(GradientTarget target, const float* x, Index rows, Index width, Index stride) {
        if (width == stride) return add(target, x, rows * width);
        const auto each = [&](Index row) { add({target.to + row * stride, target.add}, x + row * stride, 0, width); };
        kernel::parallel_for(rows, each, numbers_cost * rows * width);
    }
    static void add(GradientTarget target, const float* x, Index count) {
        kernel::parallel_ranges(
            count, [&](Index begin, Index end) { add(target, x, begin, end); }, numbers_cost * count);
    }

  private:
    /// What a number that comes from memory costs, in operations.
    static constexpr Index numbers_cost = 4;

    static void add(GradientTarget target, const float* x, Index begin, Index end) {
        if (target.add)
            for (Index i = begin; i < end; ++i) target.to[i] += x[i];
        else
            std::copy(x + begin, x + end, target.to + begin);
    }
};

/// Records that `y` was computed from `reads` and `leaves`: on the way back `back(context)` is called if a gradient has come
/// to y, and adds its shares by `context.rows.into` and to `context.leaves.find`. It is copied bit by bit.
template <class Back>
void record_function(Scratch& s, const float* y, std::span<const float* const> reads, std::span<const LeafId> leaves,
                     const Back& back) {
    static_assert(std::is_trivially_copyable_v<Back>, "record_function: the function must be trivially copyable");
    s.record(FunctionOp{y, reads, leaves, &back, sizeof(Back),
                        [](const void* f, BackwardContext& c) { (*static_cast<const Back*>(f))(c); }});
}

}  // namespace tessera::inline TESSERA_ISA
