// Rows to columns, a square of registers at a time.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/kernel/simd/vec.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)

/// Detail: the four 4 × 4 blocks of four rows, each turned in its place.
inline void transpose_quarters(__m512& a, __m512& b, __m512& c, __m512& d) {
    const __m512 ab_low = _mm512_maskz_unpacklo_ps(every, a, b), ab_high = _mm512_maskz_unpackhi_ps(every, a, b);
    const __m512 cd_low = _mm512_maskz_unpacklo_ps(every, c, d), cd_high = _mm512_maskz_unpackhi_ps(every, c, d);
    a = _mm512_maskz_shuffle_ps(every, ab_low, cd_low, 0x44);
    b = _mm512_maskz_shuffle_ps(every, ab_low, cd_low, 0xee);
    c = _mm512_maskz_shuffle_ps(every, ab_high, cd_high, 0x44);
    d = _mm512_maskz_shuffle_ps(every, ab_high, cd_high, 0xee);
}

/// x[i][j] ↔ x[j][i].
inline void transpose(Square& x) {
    for (std::size_t i = 0; i < 16; i += 4) transpose_quarters(x[i].v, x[i + 1].v, x[i + 2].v, x[i + 3].v);
    for (std::size_t i = 0; i < 4; ++i) {  // the 4 × 4 matrix of 128-bit blocks in rows i, i + 4, i + 8, i + 12
        __m512 &a = x[i].v, &b = x[i + 4].v, &c = x[i + 8].v, &d = x[i + 12].v;
        const __m512 ab_even = _mm512_maskz_shuffle_f32x4(every, a, b, 0x88);
        const __m512 ab_odd = _mm512_maskz_shuffle_f32x4(every, a, b, 0xdd);
        const __m512 cd_even = _mm512_maskz_shuffle_f32x4(every, c, d, 0x88);
        const __m512 cd_odd = _mm512_maskz_shuffle_f32x4(every, c, d, 0xdd);
        a = _mm512_maskz_shuffle_f32x4(every, ab_even, cd_even, 0x88);
        b = _mm512_maskz_shuffle_f32x4(every, ab_odd, cd_odd, 0x88);
        c = _mm512_maskz_shuffle_f32x4(every, ab_even, cd_even, 0xdd);
        d = _mm512_maskz_shuffle_f32x4(every, ab_odd, cd_odd, 0xdd);
    }
}

#else

/// Detail: lanes A, B, C, D of each four, where 0 … 3 are those of `a` and 4 … 7 those of `b`.
template <Index A, Index B, Index C, Index D>
Vec quads(Vec a, Vec b) {
    return shuffle(a, b, [](Index i) {
        constexpr Index of[] = {A, B, C, D};
        return i / 4 * 4 + of[i % 4] % 4 + of[i % 4] / 4 * width;
    });
}

/// x[i][j] ↔ x[j][i].
[[gnu::always_inline]] inline void transpose(Square& x) {
    unroll<width / 4>([&](auto block) __attribute__((always_inline)) {  // each block of 4 × 4 in its place
        constexpr std::size_t i = 4 * block;
        const Vec a = x[i], b = x[i + 1], c = x[i + 2], d = x[i + 3];
        const Vec ab_low = quads<0, 4, 1, 5>(a, b), ab_high = quads<2, 6, 3, 7>(a, b);
        const Vec cd_low = quads<0, 4, 1, 5>(c, d), cd_high = quads<2, 6, 3, 7>(c, d);
        x[i] = quads<0, 1, 4, 5>(ab_low, cd_low);
        x[i + 1] = quads<2, 3, 6, 7>(ab_low, cd_low);
        x[i + 2] = quads<0, 1, 4, 5>(ab_high, cd_high);
        x[i + 3] = quads<2, 3, 6, 7>(ab_high, cd_high);
    });
    unroll<width - 4>([&](
        auto i) __attribute__((always_inline)) {  // where there are four blocks, two of them for each other
        const Vec a = x[i], b = x[i + 4];
        x[i] = shuffle(a, b, [](Index lane) { return lane % 4 + lane / 4 * width; });
        x[i + 4] = shuffle(a, b, [](Index lane) { return lane % 4 + lane / 4 * width + 4 * (width > 4); });
    });
}

#endif

/// y[c][r] = read(r, c), where read(row, column, count) gives `count` numbers of a row from `column` on as a vector
/// with zeros behind them.
/// shape   → y [columns, y_stride ≥ rows]
template <class Read>
void transpose(float* y, Index y_stride, Index rows, Index columns, const Read& read) {
    constexpr int lanes = static_cast<int>(width);
    for (Index r = 0; r < rows; r += width)
        for (Index c = 0; c < columns; c += width) {
            const Index high = std::min(width, rows - r), wide = std::min(width, columns - c);
            Square block;
            float* to = y + c * y_stride + r;
            if (high == width && wide == width) {
                unroll<lanes>([&](int i) __attribute__((always_inline)) {
                    block[static_cast<std::size_t>(i)] = read(r + i, c, width);
                });
                transpose(block);
                unroll<lanes>([&](int i) __attribute__((always_inline)) {
                    store(to + i * y_stride, block[static_cast<std::size_t>(i)]);
                });
            } else {
                for (Index i = 0; i < width; ++i)
                    block[static_cast<std::size_t>(i)] = i < high ? read(r + i, c, wide) : broadcast(0.0f);
                transpose(block);
                for (Index i = 0; i < wide; ++i) store(to + i * y_stride, block[static_cast<std::size_t>(i)], high);
            }
        }
}

}  // namespace tessera::inline TESSERA_ISA::kernel
