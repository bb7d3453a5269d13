// Pictures and texts as vectors of one space, and how alike they are.
#pragma once
#include <algorithm>
#include <cmath>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/matmul/matmul.hpp>

namespace tessera::inline TESSERA_ISA {

/// Makes each row as long as 1: x / max(‖x‖, 1e-12).
/// shape   x [rows, Width]
/// source  torch.nn.functional.normalize; for inference, no tape takes it
template <Index Width>
void normalize_rows(Rows<Width> x) {
    for (Index i = 0; i < x.extent(0); ++i) {
        const auto row = x.slice(i, 1).span();
        double squares = 0;
        for (const float value : row) squares += static_cast<double>(value) * static_cast<double>(value);
        const auto scale = static_cast<float>(1 / std::max(std::sqrt(squares), 1e-12));
        for (float& value : row) value *= scale;
    }
}

/// Image-text contrast: the cosine of each text and the query that is nearest to it, for each picture.
/// shape   images [n·queries, E], texts [m, E], both of length 1 → y [n, m]
/// units   cosines, −1 … 1; stage 1 divides them by its temperature
/// cost    2·n·queries·m·E flops; n·queries·m floats of scratch, and the texts once more
/// source  Li 2023 (BLIP-2) §3.1
template <Index Embedding>
View<float, dyn, dyn> contrast(ConstRows<Embedding> images, Index queries, ConstRows<Embedding> texts, Scratch& s) {
    TESSERA_EXPECTS(queries > 0 && images.extent(0) % queries == 0);
    const Index n = images.extent(0) / queries, m = texts.extent(0);
    const View<float, dyn, dyn> best(s.take<float>(n * m), {n, m});
    if (m == 0) return best;
    kernel::PackedB packed(m, Embedding, DType::f32);
    packed.write(0, texts.data(), m);
    const auto frame = s.frame();
    constexpr Index block = 32;  // pictures at a time
    float* const cosines = s.take<float>(std::min(n, block) * queries * m);
    for (Index first = 0; first < n; first += block) {
        const Index count = std::min(block, n - first);
        kernel::gemm(cosines, m, images.data() + first * queries * Embedding, Embedding, count * queries, packed);
        for (Index image = 0; image < count; ++image) {
            float* const to = best.data() + (first + image) * m;
            const float* const from = cosines + image * queries * m;
            std::copy_n(from, m, to);
            for (Index query = 1; query < queries; ++query)
                for (Index text = 0; text < m; ++text) to[text] = std::max(to[text], from[query * m + text]);
        }
    }
    return best;
}

}  // namespace tessera::inline TESSERA_ISA
