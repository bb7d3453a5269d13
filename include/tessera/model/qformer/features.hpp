// Pictures and texts as vectors of one space, and how alike they are.
#pragma once
#include <algorithm>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/kernel/row/mean.hpp>
#include <tessera/kernel/row/normalize.hpp>
#include <tessera/nn/linear.hpp>

namespace tessera::inline TESSERA_ISA {

/// y = x / max(‖x‖, 1e-12), row by row.
/// shape   x [rows, Width] → y [rows, Width], which may be x where no tape listens
/// errors  Errc::rows_mismatch
/// source  torch.nn.functional.normalize
template <Index Width>
void normalize_rows(Rows<Width> y, ConstRows<Width> x, Scratch& s) {
    const Index rows = x.extent(0);
    detail::require_rows("normalize_rows", Width, "an output", rows, y.extent(0));
    TESSERA_EXPECTS(!s.keeps() || y.data() != x.data());
    float* const norms = s.keeps() ? s.take<float>(rows) : nullptr;
    kernel::normalize_rows(y.data(), x.data(), norms, rows, Width);
    s.record(NormalizeOp{y.data(), x.data(), norms, rows, Width});
}

/// The mean of each group of `per_group` rows, as of the logits of a picture's queries.
/// shape   x [groups·per_group, Width] → y [groups, Width]
/// errors  Errc::rows_mismatch
template <Index Width>
void mean_rows(Rows<Width> y, ConstRows<Width> x, Index per_group, Scratch& s) {
    const Index groups = y.extent(0);
    detail::require_rows("mean_rows", Width, "an input", groups * per_group, x.extent(0));
    kernel::mean_rows(y.data(), x.data(), groups, per_group, Width);
    s.record(MeanOp{y.data(), x.data(), groups, per_group, Width});
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
