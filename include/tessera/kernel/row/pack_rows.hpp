// Rows copied to where they lie close together, as floats: what attention does with keys, values and their
// gradients. In a layer's rows they are a stride apart that sends them all to the same lines of the cache.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/core/dtype.hpp>
#include <tessera/kernel/simd/vec.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// `count` numbers from p on as floats, with zeros behind them.
inline Vec load_floats(const float* p, Index count) { return load(p, count); }
inline Vec load_floats(const bf16* p, Index count) {
    if (count == width) return load(p);
    std::array<float, static_cast<std::size_t>(width)> lanes{};
    for (Index i = 0; i < count; ++i) lanes[static_cast<std::size_t>(i)] = to_float(p[i]);
    return load(lanes.data());
}

/// Copies rows of `dim` numbers; returns whether all of them are finite. `more` rows follow that will be wanted soon: the processor
/// does not foresee strides of pages, so memory is asked for rows ahead.
template <class T>
bool pack_rows_check_finite(float* to, Index to_stride, const T* from, Index from_stride, Index rows, Index dim,
                            Index more = 0) {
    constexpr Index ahead = 12, line = 64 / sizeof(T);
    constexpr int chains = 4;  // one after another, the checks would take longer than the copy
    Vec zero[chains];
    for (Vec& z : zero) z = broadcast(0.0f);
    const auto take = [&](Vec & sum, Index c, Index n) __attribute__((always_inline)) {
        const Vec x = load_floats(from + c, n);
        sum = fma(x, broadcast(0.0f), sum);
        store(to + c, x, n);
    };
    for (Index r = 0; r < rows; ++r, to += to_stride, from += from_stride) {
        if (r + ahead < rows + more)
            for (Index c = 0; c < dim; c += line) prefetch(from + ahead * from_stride + c);
        Index c = 0;
        for (; c + chains * width <= dim; c += chains * width)
            unroll<chains>([&](int i) __attribute__((always_inline)) { take(zero[i], c + i * width, width); });
        for (; c < dim; c += width) take(zero[0], c, std::min(width, dim - c));
    }
    unroll<chains - 1>([&](auto i) { zero[0] += zero[i + 1]; });
    return reduce_add(zero[0]) == 0.0f;
}

}  // namespace tessera::inline TESSERA_ISA::kernel
