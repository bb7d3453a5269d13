// Contrast of pictures with what is in them: `a small red circle` is to be found somewhere among the patches. So the features of
// a patch tell size, colour and shape of the object that lies there together, and whoever reads them need not bind them.
#pragma once
#include <algorithm>
#include <limits>
#include <tessera/kernel/row/cross_entropy.hpp>
#include <tessera/kernel/row/rows.hpp>
#include <tessera/train/loss/cross_entropy.hpp>
#include <vector>

namespace scenes {

using tessera::Index;

/// How alike a picture and a phrase are is the cosine of the token that is most alike, divided by the temperature. Each picture is to
/// find the phrases that are true of it among all, each phrase its pictures.
/// shape   tokens [n·T, Embedding], phrases [m, Embedding], rows of length 1; is_true [n, m] → [1]
/// units   the mean of both cross entropies; phrases that are true of no picture are only wrong answers
/// cost    2·n·T·m·Embedding flops
/// source  Yao 2021 (FILIP) §3.1, for phrases
template <Index Embedding>
tessera::Rows<1> contrast_parts(tessera::ConstRows<Embedding> tokens, tessera::ConstRows<Embedding> phrases,
                                const std::vector<char>& is_true, float temperature, tessera::Scratch& s) {
    const Index m = phrases.extent(0), n = static_cast<Index>(is_true.size()) / m, each = tokens.extent(0) / n,
                size = n * m;
    float *const logits = s.take<float>(size), *const turned = s.take<float>(size);
    float *const targets = s.take<float>(size), *const turned_targets = s.take<float>(size);
    float *d_rows = nullptr, *d_columns = nullptr;
    if (s.keeps()) d_rows = s.take<float>(size), d_columns = s.take<float>(size);
    auto* const nearest = s.take<Index>(size);
    tessera::kernel::parallel_for(n, [&](Index i) {
        for (Index j = 0; j < m; ++j) {
            float best = -std::numeric_limits<float>::infinity();
            for (Index t = 0; t < each; ++t) {
                const float cosine = tessera::kernel::dot_row(tokens.data() + (i * each + t) * Embedding,
                                                              phrases.data() + j * Embedding, Embedding);
                if (cosine > best) best = cosine, nearest[i * m + j] = i * each + t;
            }
            logits[i * m + j] = turned[j * n + i] = best / temperature;
        }
    });
    const auto fill = [&](float* to, Index rows, Index columns, const auto& at) {
        Index used = 0;
        for (Index row = 0; row < rows; ++row) {
            Index right = 0;
            for (Index column = 0; column < columns; ++column) right += at(row, column);
            for (Index column = 0; column < columns; ++column)
                to[row * columns + column] =
                    right == 0 ? 0.0f : static_cast<float>(at(row, column)) / static_cast<float>(right);
            used += right > 0;
        }
        return used;
    };
    const auto truth = [&](Index i, Index j) {
        return static_cast<Index>(is_true[static_cast<std::size_t>(i * m + j)]);
    };
    const Index pictures = fill(targets, n, m, truth);
    const Index found = fill(turned_targets, m, n, [&](Index j, Index i) { return truth(i, j); });
    const float row_scale = 0.5f / static_cast<float>(pictures), column_scale = 0.5f / static_cast<float>(found);
    float* const losses = s.take<float>(n + m);
    tessera::kernel::cross_entropy(losses, d_rows, logits, targets, n, m, row_scale);
    tessera::kernel::cross_entropy(losses + n, d_columns, turned, turned_targets, m, n, column_scale);
    const auto loss = s.rows<1>(1);
    double total = 0;
    for (Index i = 0; i < n + m; ++i) total += double{losses[i]} * double{i < n ? row_scale : column_scale};
    loss(0, 0) = static_cast<float>(total);

    if (!s.keeps()) return loss;

    const float* const reads[] = {tokens.data(), phrases.data()};
    tessera::record_function(s, loss.data(), reads, {},
                             [=, y = loss.data(), v = tokens.data(), p = phrases.data()](tessera::BackwardContext& c) {
                                 const float d = *c.rows.at(y) / temperature;
                                 const Index of_tokens = n * each * Embedding, of_phrases = m * Embedding;
                                 float* const dv = c.rows.into(v, of_tokens).added_to(of_tokens);
                                 float* const dp = c.rows.into(p, of_phrases).added_to(of_phrases);
                                 for (Index i = 0; i < n; ++i)
                                     for (Index j = 0; j < m; ++j) {
                                         const float share = d * (d_rows[i * m + j] + d_columns[j * n + i]);
                                         const Index token = nearest[i * m + j];
                                         for (Index k = 0; dv != nullptr && k < Embedding; ++k)
                                             dv[token * Embedding + k] += share * p[j * Embedding + k];
                                         for (Index k = 0; dp != nullptr && k < Embedding; ++k)
                                             dp[j * Embedding + k] += share * v[token * Embedding + k];
                                     }
                             });
    return loss;
}

}  // namespace scenes
