// Rows to columns, a square of registers at a time.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/kernel/simd.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// As many vectors as a vector has lanes: a square block of a matrix.
using Square = std::array<Vec, static_cast<std::size_t>(width)>;

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

#elif defined(__AVX2__)

/// x[i][j] ↔ x[j][i].
inline void transpose(Square& x) {
    __m256 t[8];
    for (std::size_t i = 0; i < 8; i += 4) {
        const __m256 ab_low = _mm256_unpacklo_ps(x[i].v, x[i + 1].v), ab_high = _mm256_unpackhi_ps(x[i].v, x[i + 1].v);
        const __m256 cd_low = _mm256_unpacklo_ps(x[i + 2].v, x[i + 3].v);
        const __m256 cd_high = _mm256_unpackhi_ps(x[i + 2].v, x[i + 3].v);
        t[i] = _mm256_shuffle_ps(ab_low, cd_low, 0x44);
        t[i + 1] = _mm256_shuffle_ps(ab_low, cd_low, 0xee);
        t[i + 2] = _mm256_shuffle_ps(ab_high, cd_high, 0x44);
        t[i + 3] = _mm256_shuffle_ps(ab_high, cd_high, 0xee);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        x[i] = {Vec::Register(_mm256_permute2f128_ps(t[i], t[i + 4], 0x20))};
        x[i + 4] = {Vec::Register(_mm256_permute2f128_ps(t[i], t[i + 4], 0x31))};
    }
}

#else

/// x[i][j] ↔ x[j][i].
inline void transpose(Square& x) {
    constexpr auto lanes = static_cast<std::size_t>(width);
    std::array<float, lanes * lanes> rows;
    for (std::size_t i = 0; i < lanes; ++i) store(rows.data() + i * lanes, x[i]);
    for (std::size_t i = 0; i < lanes; ++i) {
        std::array<float, lanes> column;
        for (std::size_t j = 0; j < lanes; ++j) column[j] = rows[j * lanes + i];
        x[i] = load(column.data());
    }
}

#endif

/// y[c][r] = read(r, c), where read(row, column, count) gives `count` numbers of a row from `column` on as a vector
/// with zeros behind them.
/// shape   → y [columns, y_stride ≥ rows]
template <class Read>
void transpose(float* y, Index y_stride, Index rows, Index columns, const Read& read) {
    for (Index r = 0; r < rows; r += width)
        for (Index c = 0; c < columns; c += width) {
            const Index high = std::min(width, rows - r), wide = std::min(width, columns - c);
            Square block;
            for (Index i = 0; i < width; ++i)
                block[static_cast<std::size_t>(i)] = i < high ? read(r + i, c, wide) : broadcast(0.0f);
            transpose(block);
            for (Index i = 0; i < wide; ++i)
                store(y + (c + i) * y_stride + r, block[static_cast<std::size_t>(i)], high);
        }
}

}  // namespace tessera::kernel::inline TESSERA_ISA
