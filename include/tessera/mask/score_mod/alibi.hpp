// ALiBi: scores fall with the distance, for each head at a rate of its own.
#pragma once
#include <cmath>
#include <tessera/mask/score_mod/diagonal_bias.hpp>

namespace tessera::inline TESSERA_ISA {

/// Head h (from 0) of H falls off with the slope 2^(−8·(h + 1)/H). Where H is no power of two, the heads beyond the
/// largest one in it take every second slope of twice as many.
/// source  Press 2022 (ALiBi) §3 and its published code
inline float alibi_slope(Index head, Index heads) {
    Index whole = 1;
    while (whole * 2 <= heads) whole *= 2;
    const double exponent = head < whole ? static_cast<double>(head + 1) / static_cast<double>(whole)
                                         : static_cast<double>(2 * (head - whole) + 1) / static_cast<double>(2 * whole);
    return static_cast<float>(std::exp2(-8.0 * exponent));
}

/// ALiBi: −slope · |key − query|.
inline DiagonalBias alibi(Index heads, Index queries, Index keys) {
    return {heads, queries, keys, [heads](Index head, Index distance) {
                return -alibi_slope(head, heads) * static_cast<float>(std::abs(distance));
            }};
}

}  // namespace tessera::inline TESSERA_ISA
