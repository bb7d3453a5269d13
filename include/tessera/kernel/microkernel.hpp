// The innermost loop of the matrix product: a few rows times a few vectors of columns, all sums in registers.
#pragma once
#include <tessera/kernel/panels.hpp>
#include <tessera/kernel/simd.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// Rows of sums that fit the registers beside one panel's vectors.
inline constexpr Index strip_rows = registers >= 32 ? 8 : 6;

/// sums[r][v] (+)= Σ_k x[r][k]·w[k][v], in the order of k, one rounding each.
/// shape   x Rows × inputs, w a panel's columns, `stride` columns apart from k to k + 1; sums Rows × panel_width;
///         `ahead` elements behind those that are read are asked for
template <int Rows, int Vectors, class T>
void multiply_tile(float* sums, const float* x, Index x_stride, const T* w, Index stride, Index inputs, bool add,
                   [[maybe_unused]] Index ahead) noexcept {
    constexpr bool asks = Rows >= 4;  // fewer rows only wait for memory, and the processor's own guesses are better
    Vec sum[Rows][Vectors];
    unroll<Rows>([&](auto r) {
        unroll<Vectors>(
            [&](auto v) { sum[r][v] = add ? load(sums + r * Panels::panel_width + v * width) : broadcast(0.0f); });
    });
    const auto step = [&](const Vec(&b)[Vectors], Index k) __attribute__((always_inline)) {
        unroll<Rows>([&](auto r) __attribute__((always_inline)) {
            const Vec a = broadcast(x[r * x_stride + k]);
            unroll<Vectors>([&](auto v) __attribute__((always_inline)) { sum[r][v] = fma(a, b[v], sum[r][v]); });
        });
    };
    Vec b[Vectors];
    if constexpr (std::same_as<T, float>) {
        for (Index k = 0; k < inputs; ++k, w += stride) {
            unroll<Vectors>([&](auto v) { b[v] = load(w + v * width); });
            if constexpr (asks) unroll<Vectors>([&](auto v) { prefetch(w + ahead + v * width); });
            step(b, k);
        }
    } else {
        Vec odd[Vectors];
        const auto load_both = [&] {
            unroll<Vectors>([&](auto v) {
                const Pair pair = load_pairs(w + v * width * 2);
                if constexpr (asks) prefetch(w + ahead + v * width * 2);
                b[v] = pair.even;
                odd[v] = pair.odd;
            });
        };
        Index k = 0;
        for (; k + 2 <= inputs; k += 2, w += 2 * stride) {
            load_both();
            step(b, k);
            step(odd, k + 1);
        }
        if (k < inputs) {
            load_both();
            step(b, k);
        }
    }
    unroll<Rows>([&](auto r) {
        unroll<Vectors>([&](auto v) { store(sums + r * Panels::panel_width + v * width, sum[r][v]); });
    });
}

/// The tile for numbers of rows ≤ strip_rows and vectors ≤ Panels::vectors that are known at run time.
template <class T>
void multiply(Index rows, Index vectors, float* sums, const float* x, Index x_stride, const T* w, Index stride,
              Index inputs, bool add, Index ahead) noexcept {
    unroll<strip_rows>([&](auto r) {
        unroll<Panels::vectors>([&](auto v) {
            if (rows == r + 1 && vectors == v + 1)
                multiply_tile<r + 1, v + 1, T>(sums, x, x_stride, w, stride, inputs, add, ahead);
        });
    });
}

}  // namespace tessera::kernel::inline TESSERA_ISA
