// Attention of one query over a few keys, where there are not enough queries for a vector of them: the lanes are parts of a
// head, or keys, and keys and values are read row by row.
#pragma once
#include <algorithm>
#include <array>
#include <limits>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/row/pack_rows.hpp>
#include <tessera/kernel/simd/math.hpp>
#include <tessera/kernel/simd/transpose.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// The most queries that are better taken one by one: with more of them, a vector of queries wastes less.
inline constexpr Index decode_max_queries = std::max<Index>(width / 2, 1);

/// Detail: to[i] = Σ_c q[c]·k[i·stride + c] for a vector of keys, of which the first `count` exist.
template <class T>
void dot_products(float* to, const float* q, const T* k, Index stride, Index count, Index dim) {
    Square sum;
    for (Vec& s : sum) s = broadcast(0.0f);
    for_each_vec(dim, [&](Index c, Index n) {
        const Vec query = load(q + c, n);
        unroll<static_cast<int>(width)>([&](auto i) {
            constexpr auto at = static_cast<std::size_t>(i.value);
            sum[at] = fma(load_floats(k + std::min<Index>(i, count - 1) * stride + c, n), query, sum[at]);
        });
    });
    transpose(sum);
    for (std::size_t half = sum.size() / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) sum[i] += sum[i + half];
    store(to, sum[0]);
}

/// Detail: to[c] += Σ_i weights[i]·v[i·stride + c] for the keys, at most a vector of them, that are bits of `seen`.
template <class T>
void add_values(float* to, const float* weights, const T* v, Index stride, std::uint64_t seen, Index dim) {
    constexpr std::uint64_t all = (std::uint64_t{1} << width) - 1;
    if ((seen & all) == all) {
        std::array<Vec, static_cast<std::size_t>(width)> weight;
        unroll<static_cast<int>(width)>([&](auto i) { weight[static_cast<std::size_t>(i)] = broadcast(weights[i]); });
        for_each_vec(dim, [&](Index c, Index n) {
            Vec sum = load(to + c, n);
            unroll<static_cast<int>(width)>([&](auto i) {
                sum = fma(weight[static_cast<std::size_t>(i)], load_floats(v + i * stride + c, n), sum);
            });
            store(to + c, sum, n);
        });
        return;
    }
    for (Index i = 0; i < width; ++i)
        if ((seen >> i & 1u) != 0)
            for_each_vec(dim, [&](Index c, Index n) {
                store(to + c, fma(broadcast(weights[i]), load_floats(v + i * stride + c, n), load(to + c, n)), n);
            });
}

/// Detail: exponentiates the scores of a query in place, and makes `row_sum` and `acc` ready for what they weigh.
/// shape   scores [count], a multiple of a vector; those that are hidden are −∞
inline void online_softmax_update(float* scores, Index count, float& row_max, float& row_sum, float* acc, Index dim) {
    Vec largest = broadcast(-std::numeric_limits<float>::infinity());
    for (Index i = 0; i < count; i += width) largest = max(load(scores + i), largest);
    const float before = row_max, now = std::max(before, reduce_max(largest));
    const Vec shift = broadcast(now == -std::numeric_limits<float>::infinity() ? 0.0f : now);
    Vec weights = broadcast(0.0f);
    for (Index i = 0; i < count; i += width) {
        const Vec weight = exp2_flushed(load(scores + i) - shift);
        weights += weight;
        store(scores + i, weight);
    }
    alignas(alignment) float rescale[width];
    store(rescale, exp2_flushed(broadcast(before) - shift));
    row_max = now;
    row_sum = row_sum * rescale[0] + reduce_add(weights);
    if (before < now)
        for_each_vec(dim, [&](Index c, Index n) { store(acc + c, load(acc + c, n) * broadcast(rescale[0]), n); });
}

}  // namespace tessera::inline TESSERA_ISA::kernel
