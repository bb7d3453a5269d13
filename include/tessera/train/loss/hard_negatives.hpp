// Which other picture and which other text image-text matching sets against each.
#pragma once
#include <algorithm>
#include <span>
#include <tessera/core/scratch.hpp>
#include <tessera/core/split_mix.hpp>
#include <tessera/kernel/row/softmax.hpp>

namespace tessera::inline TESSERA_ISA {

/// For each text a picture that does not belong to it, and for each picture such a text; −1 where the batch has none.
/// shape   [n] each
struct HardNegatives {
    std::span<const Index> images, texts;
};

struct HardNegativeOptions {
    float uniform = 0;  // the share of negatives that are drawn without regard to similarity
    std::uint64_t seed = 0;
};

/// How likely each column is to be drawn for its row: the softmax of the row and a little more, but nothing for what is in the
/// row's own group.
/// shape   logits [n, n], groups [n], or none where no two are alike → [n, n], rows of any sum
/// source  LAVIS 1.0.2, Blip2Qformer
inline View<float, dyn, dyn> negative_weights(View<const float, dyn, dyn> logits, std::span<const Index> groups,
                                              Scratch& s) {
    const Index n = logits.extent(0);
    const View<float, dyn, dyn> weights(s.take<float>(n * n), {n, n});
    kernel::softmax(weights.data(), logits.data(), n, n);
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < n; ++j) {
            const bool alike =
                groups.empty() ? i == j : groups[static_cast<std::size_t>(i)] == groups[static_cast<std::size_t>(j)];
            weights(i, j) = alike ? 0.0f : weights(i, j) + 1e-4f;
        }
    return weights;
}

namespace detail {
/// A column of each row, by its weights.
inline std::span<const Index> draw(View<const float, dyn, dyn> weights, float uniform, std::uint64_t seed, Scratch& s) {
    const Index n = weights.extent(0);
    const std::span out(s.take<Index>(n), static_cast<std::size_t>(n));
    for (Index i = 0; i < n; ++i) {
        const auto number = [&](Index k) {
            return static_cast<double>(split_mix(seed + split_mix_step * static_cast<std::uint64_t>(2 * i + k)) >> 11) *
                   0x1p-53;
        };
        const bool any = number(0) < double{uniform};
        const auto weight = [&](Index j) { return any ? (weights(i, j) > 0 ? 1.0 : 0.0) : double{weights(i, j)}; };
        double total = 0;
        for (Index j = 0; j < n; ++j) total += weight(j);
        double left = number(1) * total;
        out[static_cast<std::size_t>(i)] = -1;
        for (Index j = 0; j < n && left >= 0; ++j) {
            if (weight(j) > 0) out[static_cast<std::size_t>(i)] = j;
            left -= weight(j);
        }
    }
    return out;
}
}  // namespace detail

/// Draws them by how alike pictures and texts are, so that matching has to look closely; from `seed` alone.
/// shape   logits [n, n] of pictures and texts, groups as in itc
/// units   no gradient goes through the choice
/// source  Li 2021 (ALBEF) §3.2; Li 2023 (BLIP-2) §3.1
inline HardNegatives hard_negatives(View<const float, dyn, dyn> logits, std::span<const Index> groups, Scratch& s,
                                    const HardNegativeOptions& options = {}) {
    const Index n = logits.extent(0);
    const View<float, dyn, dyn> turned(s.take<float>(n * n), {n, n});
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < n; ++j) turned(j, i) = logits(i, j);
    return {detail::draw(negative_weights(turned, groups, s), options.uniform, split_mix(options.seed), s),
            detail::draw(negative_weights(logits, groups, s), options.uniform, split_mix(~options.seed), s)};
}

}  // namespace tessera::inline TESSERA_ISA
