// A table of positions made for one grid of patches, stretched to another.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// Patches of a picture: rows and columns.
struct Grid {
    Index height = 0, width = 0;
    constexpr Index size() const { return height * width; }
    friend constexpr bool operator==(Grid, Grid) = default;
};

/// Interpolates `table` bicubically (a = −0.75, pixel centres aligned, borders repeated, no antialiasing).
/// shape   table [from.size(), Width] → out [to.size(), Width]
/// cost    16·to.size()·Width multiplications
/// source  torch.nn.functional.interpolate(mode="bicubic", align_corners=False), as interpolate_pos_encoding has it
template <Index Width>
void interpolate_positions(Rows<Width> out, Grid to, ConstRows<Width> table, Grid from) {
    struct Neighbours {
        std::array<Index, 4> at;
        std::array<float, 4> weight;
    };
    const auto taps = [](Index i, Index size, Index source_size) {
        const float scale = static_cast<float>(source_size) / static_cast<float>(size);
        const float centre = (static_cast<float>(i) + 0.5f) * scale - 0.5f;
        const float base = std::floor(centre);
        const float t = centre - base;
        constexpr float a = -0.75f;
        const auto inner = [](float x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };        // |x| ≤ 1
        const auto outer = [](float x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };  // 1 < |x| < 2
        Neighbours result{{}, {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)}};
        for (Index n = 0; n < 4; ++n)
            result.at[static_cast<std::size_t>(n)] =
                std::clamp<Index>(static_cast<Index>(base) + n - 1, 0, source_size - 1);
        return result;
    };
    for (Index y = 0; y < to.height; ++y) {
        const Neighbours down = taps(y, to.height, from.height);
        for (Index x = 0; x < to.width; ++x) {
            const Neighbours across = taps(x, to.width, from.width);
            float* row = out.data() + (y * to.width + x) * Width;
            for (Index d = 0; d < Width; ++d) {
                float sum = 0;
                for (std::size_t j = 0; j < 4; ++j) {
                    float line = 0;
                    for (std::size_t i = 0; i < 4; ++i)
                        line += across.weight[i] * table.data()[(down.at[j] * from.width + across.at[i]) * Width + d];
                    sum += down.weight[j] * line;
                }
                row[d] = sum;
            }
        }
    }
}

}  // namespace tessera::inline TESSERA_ISA
