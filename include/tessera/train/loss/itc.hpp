// Image-text contrast (ITC), the first objective of BLIP-2's first stage.
#pragma once
#include <algorithm>
#include <limits>
#include <tessera/kernel/row/rows.hpp>
#include <tessera/train/loss/cross_entropy.hpp>

namespace tessera::inline TESSERA_ISA {

struct ItcOptions {
    float smoothing = 0.1f;
    // LAVIS gathers the features of all processes before it compares them, and what was gathered is a constant, even where there
    // is one process: the loss of a picture among all texts moves only the picture, that of a text among all pictures only the
    // text. Without it each moves both.
    bool gathered_is_constant = true;
};

/// The contrast of a batch.
struct Itc {
    Rows<1> loss;
    View<float, dyn, dyn> logits;  // [pictures, texts], divided by the temperature
};

namespace detail {
/// Which query of each picture is nearest to each text.
struct NearestQueries {
    Index count, queries, width;
    const float *images, *texts;  // [count·queries, width], [count, width]
    float* cosines;               // [count, count]
    Index* nearest;               // [count, count]

    const float* image(Index i, Index j) const { return images + (i * queries + nearest[i * count + j]) * width; }
    const float* text(Index j) const { return texts + j * width; }
};

inline void find_nearest(const NearestQueries& n) {
    kernel::parallel_for(
        n.count,
        [&](Index i) {
            for (Index j = 0; j < n.count; ++j) {
                float best = -std::numeric_limits<float>::infinity();
                Index at = 0;
                for (Index q = 0; q < n.queries; ++q) {
                    const float* const image = n.images + (i * n.queries + q) * n.width;
                    const float cosine = kernel::dot_row(image, n.text(j), n.width);
                    if (cosine > best) best = cosine, at = q;
                }
                n.cosines[i * n.count + j] = best;
                n.nearest[i * n.count + j] = at;
            }
        },
        2 * n.count * n.count * n.queries * n.width);
}
}  // namespace detail

/// Each picture is to find its text among all, and each text its picture; what compares a picture and a text is the cosine of
/// the query that is nearest, divided by the temperature.
/// shape   images [n·queries, Embedding], texts [n, Embedding], rows of length 1; groups [n]: pictures of the same group, such as
///         those that share an id or a caption, share their targets; none where no two do
/// units   the mean of both cross entropies, smoothed
/// errors  Errc::weight_unset; Errc::rows_mismatch
/// cost    2·n²·queries·Embedding flops; n² numbers of scratch, six times
/// source  Li 2023 (BLIP-2) §3.1; LAVIS, Blip2Qformer
template <Index Embedding>
Itc itc(ConstRows<Embedding> images, Index queries, ConstRows<Embedding> texts, std::span<const Index> groups,
        const Parameter<1>& temperature, Scratch& s, const ItcOptions& options = {}) {
    if (!temperature.is_set()) throw Error(Errc::weight_unset, "itc: the temperature has no value yet");
    const Index n = texts.extent(0), size = n * n;
    detail::require_rows("itc", Embedding, "images", n * queries, images.extent(0));
    if (!groups.empty()) detail::require_rows("itc", Embedding, "groups", n, static_cast<Index>(groups.size()));

    const detail::NearestQueries nearest{
        n, queries, Embedding, images.data(), texts.data(), s.take<float>(size), s.take<Index>(size)};
    detail::find_nearest(nearest);
    const float degrees = *temperature.data();
    float *const logits = s.take<float>(size), *const turned = s.take<float>(size),
                 *const targets = s.take<float>(size);
    for (Index i = 0; i < n; ++i) {
        Index same = 0;
        const auto alike = [&](Index j) {
            return groups.empty() ? i == j : groups[static_cast<std::size_t>(i)] == groups[static_cast<std::size_t>(j)];
        };
        for (Index j = 0; j < n; ++j) same += alike(j);
        for (Index j = 0; j < n; ++j) {
            logits[i * n + j] = turned[j * n + i] = nearest.cosines[i * n + j] / degrees;
            targets[i * n + j] = (alike(j) ? (1 - options.smoothing) / static_cast<float>(same) : 0.0f) +
                                 options.smoothing / static_cast<float>(n);
        }
    }
    const float scale = 0.5f / static_cast<float>(n);
    float* const losses = s.take<float>(2 * n);
    float *d_rows = nullptr, *d_columns = nullptr;
    if (s.keeps()) d_rows = s.take<float>(size), d_columns = s.take<float>(size);
    kernel::cross_entropy(losses, d_rows, logits, targets, n, n, scale);
    kernel::cross_entropy(losses + n, d_columns, turned, targets, n, n, scale);  // groups are symmetric

    const auto loss = s.rows<1>(1);
    double total = 0;
    for (Index i = 0; i < 2 * n; ++i) total += double{losses[i]};
    loss(0, 0) = static_cast<float>(total * double{scale});
    const Itc out{loss, {logits, {n, n}}};
    if (!s.keeps()) return out;

    const float* const reads[] = {images.data(), texts.data()};
    const LeafId leaves[] = {&temperature};
    record_function(
        s, loss.data(), reads, leaves,
        [nearest, d_rows, d_columns, degrees, y = loss.data(), leaf = LeafId{&temperature},
         constant = options.gathered_is_constant](BackwardContext& c) {
            const Index count = nearest.count, wide = nearest.width;
            const float d = *c.rows.at(y);
            const Index image_numbers = count * nearest.queries * wide, text_numbers = count * wide;
            float* const d_images = c.rows.into(nearest.images, image_numbers).added_to(image_numbers);
            float* const d_texts = c.rows.into(nearest.texts, text_numbers).added_to(text_numbers);
            double d_temperature = 0;
            for (Index i = 0; i < count; ++i)
                for (Index j = 0; j < count; ++j) {
                    const float of_row = d * d_rows[i * count + j], of_column = d * d_columns[j * count + i];
                    const float cosine = nearest.cosines[i * count + j];
                    d_temperature -= double{of_row + of_column} * double{cosine} / (double{degrees} * double{degrees});
                    const float to_image = (constant ? of_row : of_row + of_column) / degrees;
                    const float to_text = (constant ? of_column : of_row + of_column) / degrees;
                    const float *const image = nearest.image(i, j), *const text = nearest.text(j);
                    if (d_images != nullptr)
                        for (Index k = 0; k < wide; ++k) d_images[image - nearest.images + k] += to_image * text[k];
                    if (d_texts != nullptr)
                        for (Index k = 0; k < wide; ++k) d_texts[j * wide + k] += to_text * image[k];
                }
            if (float* const to = c.leaves.find(leaf)) *to += static_cast<float>(d_temperature);
        });
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
