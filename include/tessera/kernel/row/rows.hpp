// Sums along a row, and rows spread over threads: what norms and softmax share.
#pragma once
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/simd/vec.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// fold(… fold(start, f(x₀)) …, f(xₙ₋₁)) lane by lane, in four chains so that none waits for another, then across the
/// lanes by the caller. Lanes behind the end keep `start`, which must be neutral to `fold`.
template <class F, class Fold>
Vec fold_row(const float* x, Index size, float start, const F& f, const Fold& fold) {
    Vec a = broadcast(start), b = a, c = a, d = a;
    Index i = 0;
    for (; i + 4 * width <= size; i += 4 * width) {
        a = fold(a, f(load(x + i)));
        b = fold(b, f(load(x + i + width)));
        c = fold(c, f(load(x + i + 2 * width)));
        d = fold(d, f(load(x + i + 3 * width)));
    }
    for (; i + width <= size; i += width) a = fold(a, f(load(x + i)));
    if (i < size) b = fold(b, select(first(size - i), f(load(x + i, size - i)), broadcast(start)));
    return fold(fold(a, b), fold(c, d));
}

/// Σ f(xᵢ), always in the same order.
template <class F>
float sum_row(const float* x, Index size, const F& f) {
    return reduce_add(fold_row(x, size, 0.0f, f, [](Vec a, Vec b) { return a + b; }));
}

/// Calls f(row) for every row.
template <class F>
void for_each_row(Index rows, Index size, const F& f) {
    constexpr Index each = 32;  // operations for each number: what softmax and norms take, memory included
    parallel_ranges(
        rows,
        [&](Index begin, Index end) {
            for (Index row = begin; row < end; ++row) f(row);
        },
        each * rows * size);
}

}  // namespace tessera::inline TESSERA_ISA::kernel
