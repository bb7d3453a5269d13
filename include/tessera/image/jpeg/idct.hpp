// The inverse cosine transform of a JPEG block, in integers.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <tessera/image/jpeg/frame.hpp>

namespace tessera {

/// Eight numbers for each of eight lanes. Unsigned, so that what a broken file contains wraps around.
using JpegLanes = std::array<std::array<std::uint32_t, 8>, 8>;

/// The transform along the first extent, lane by lane, scaled by √8·2¹³.
/// source  Loeffler, Ligtenberg and Moschytz 1989, with the 13-bit constants of libjpeg's accurate integer transform,
///         so that the bytes are the same
inline void inverse_dct(JpegLanes& x) {
    constexpr auto fix = [](double constant) { return static_cast<std::uint32_t>(constant * 8192 + 0.5); };
    for (std::size_t lane = 0; lane < 8; ++lane) {
        const std::uint32_t x1 = x[1][lane], x2 = x[2][lane], x3 = x[3][lane];
        const std::uint32_t x5 = x[5][lane], x6 = x[6][lane], x7 = x[7][lane];

        const std::uint32_t rotated = (x2 + x6) * fix(0.541196100);
        const std::uint32_t even2 = rotated - x6 * fix(1.847759065), even3 = rotated + x2 * fix(0.765366865);
        const std::uint32_t even0 = (x[0][lane] + x[4][lane]) << 13, even1 = (x[0][lane] - x[4][lane]) << 13;

        const std::uint32_t both = (x7 + x3 + x5 + x1) * fix(1.175875602);
        const std::uint32_t z73 = both - (x7 + x3) * fix(1.961570560), z51 = both - (x5 + x1) * fix(0.390180644);
        const std::uint32_t z71 = (x7 + x1) * fix(0.899976223), z53 = (x5 + x3) * fix(2.562915447);
        const std::uint32_t odd0 = x7 * fix(0.298631336) - z71 + z73, odd1 = x5 * fix(2.053119869) - z53 + z51;
        const std::uint32_t odd2 = x3 * fix(3.072711026) - z53 + z73, odd3 = x1 * fix(1.501321110) - z71 + z51;

        x[0][lane] = even0 + even3 + odd3;
        x[7][lane] = even0 + even3 - odd3;
        x[1][lane] = even1 + even2 + odd2;
        x[6][lane] = even1 + even2 - odd2;
        x[2][lane] = even1 - even2 + odd1;
        x[5][lane] = even1 - even2 - odd1;
        x[3][lane] = even0 - even3 + odd0;
        x[4][lane] = even0 - even3 - odd0;
    }
}

/// From the quantised coefficients of a block to its 8 rows of samples, `stride` apart.
inline void jpeg_samples(const JpegBlock& block, const std::array<std::uint16_t, 64>& steps, unsigned char* out,
                         Index stride) {
    const auto descaled = [](std::uint32_t x, int bits) {
        return static_cast<std::int32_t>(x + (1u << (bits - 1))) >> bits;
    };
    JpegLanes columns, rows;
    for (std::size_t i = 0; i < 64; ++i)
        columns[i / 8][i % 8] = static_cast<std::uint32_t>(static_cast<std::int16_t>(block[i] * steps[i]));
    inverse_dct(columns);
    for (std::size_t y = 0; y < 8; ++y)
        for (std::size_t x = 0; x < 8; ++x) rows[x][y] = static_cast<std::uint32_t>(descaled(columns[y][x], 11));
    inverse_dct(rows);
    for (std::size_t y = 0; y < 8; ++y, out += stride)
        for (std::size_t x = 0; x < 8; ++x)
            out[x] = static_cast<unsigned char>(std::clamp(descaled(rows[x][y], 18) + 128, 0, 255));
}

}  // namespace tessera
