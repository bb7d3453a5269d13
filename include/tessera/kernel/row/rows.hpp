// Sums along a row, and rows spread over threads: what norms and softmax share.
#pragma once
#include <algorithm>
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

/// Σ aᵢ·bᵢ, always in the same order.
inline float dot_row(const float* a, const float* b, Index size) {
    Vec sum[4];
    unroll<4>([&](auto v) { sum[v] = broadcast(0.0f); });
    Index i = 0;
    for (; i + 4 * width <= size; i += 4 * width)
        unroll<4>([&](auto v) { sum[v] = fma(load(a + i + v * width), load(b + i + v * width), sum[v]); });
    for_each_vec(size - i, [&](Index j, Index n) { sum[0] = fma(load(a + i + j, n), load(b + i + j, n), sum[0]); });
    return reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
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

/// Calls f(first, numbers) for pieces of [0, count), which do not depend on the number of threads; each number takes `flops`
/// operations. For what is done number by number.
template <class F>
void for_each_piece(Index count, Index flops, const F& f) {
    constexpr Index piece = 4096;
    parallel_ranges((count + piece - 1) / piece,
                    [&](Index begin, Index end) {
                        for (Index first = begin * piece; first < std::min(end * piece, count); first += piece)
                            f(first, std::min(piece, count - first));
                    },
                    flops * count);
}

}  // namespace tessera::inline TESSERA_ISA::kernel
