// Texts found for pictures and pictures for texts: ranked by contrast, and the best of them again by matching.
#pragma once
#include <algorithm>
#include <numeric>
#include <tessera/generate/match.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The places of the `count` largest scores, the largest first, and of equals the first.
inline std::vector<Index> k_best(std::span<const float> scores, Index count) {
    std::vector<Index> order(scores.size());
    std::iota(order.begin(), order.end(), Index{0});
    const auto at = [&](Index i) { return scores[static_cast<std::size_t>(i)]; };
    const auto end = order.begin() + std::clamp<Index>(count, 0, static_cast<Index>(order.size()));
    std::partial_sort(order.begin(), end, order.end(),
                      [&](Index a, Index b) { return at(a) > at(b) || (at(a) == at(b) && a < b); });
    order.erase(end, order.end());
    return order;
}

/// Scores by which texts and pictures are found for each other.
struct RetrievalScores {
    static constexpr float unranked = -100;
    Tensor<float, dyn, dyn> image_to_text;  // [pictures, texts], to find texts for a picture
    Tensor<float, dyn, dyn> text_to_image;  // [texts, pictures], to find pictures for a text
};

/// Scores by contrast alone.
/// shape   cosines [pictures, texts]
inline RetrievalScores rank_by_contrast(View<const float, dyn, dyn> cosines) {
    const Index n = cosines.extent(0), m = cosines.extent(1);
    RetrievalScores out{Tensor<float, dyn, dyn>({n, m}), Tensor<float, dyn, dyn>({m, n})};
    for (Index i = 0; i < n; ++i)
        for (Index text = 0; text < m; ++text)
            out.image_to_text(i, text) = out.text_to_image(text, i) = cosines(i, text);
    return out;
}

/// What LAVIS ranks by: of the `best` by contrast, the logit of "match" and the cosine added up; of all others `unranked`.
/// `read(i, s)` gives the keys of picture i, in order, and of each picture once.
/// errors  those of ImageTextMatching::itm; Errc::option_value
/// cost    matching for each pair that is among the best of its picture or of its text
/// source  LAVIS, compute_sim_matrix, where `best` is k_test
template <class Query, class Read>
RetrievalScores rerank(const ImageTextMatching<Query>& model, const RetrievalScores& by_contrast,
                       const TextBatch& texts, Index best, const Read& read, Scratch& s) {
    if (best < 0) throw Error(Errc::option_value, "best: expected 0 or more, found ", best);
    const Index n = by_contrast.image_to_text.extent(0), m = by_contrast.image_to_text.extent(1);
    RetrievalScores out{Tensor<float, dyn, dyn>({n, m}), Tensor<float, dyn, dyn>({m, n})};
    std::ranges::fill(out.image_to_text.view(), RetrievalScores::unranked);
    std::ranges::fill(out.text_to_image.view(), RetrievalScores::unranked);
    Tensor<float, dyn, dyn> for_image({n, m}), for_text({n, m});  // 1 for the pairs that are among the best
    for (Index i = 0; i < n; ++i)
        for (const Index text : k_best(by_contrast.image_to_text.view().slice(i, 1).span(), best))
            for_image(i, text) = 1;
    for (Index text = 0; text < m; ++text)
        for (const Index i : k_best(by_contrast.text_to_image.view().slice(text, 1).span(), best))
            for_text(i, text) = 1;
    for (Index i = 0; i < n; ++i) {
        std::vector<ImageTextPair> pairs;
        for (Index text = 0; text < m; ++text)
            if (for_image(i, text) + for_text(i, text) > 0) pairs.push_back({0, text});
        if (pairs.empty()) continue;
        const auto one = s.frame();
        const auto logits = model.itm(read(i, s), pairs, texts, s);
        for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
            const Index text = pairs[pair].text;
            const float score = logits(static_cast<Index>(pair), 1) + by_contrast.image_to_text(i, text);
            if (for_image(i, text) > 0) out.image_to_text(i, text) = score;
            if (for_text(i, text) > 0) out.text_to_image(text, i) = score;
        }
    }
    return out;
}

/// R@k: the share of pictures that have a right text among their k best, and of texts that have a right picture.
struct Recall {
    double image_to_text, text_to_image;
};

/// `right(picture, text)` says whether they belong together.
/// cost    a sort of each row
template <class Right>
Recall recall_at(Index k, const RetrievalScores& scores, const Right& right) {
    const auto share = [k](const Tensor<float, dyn, dyn>& rows, const auto& hit) {
        Index found = 0;
        for (Index row = 0; row < rows.extent(0); ++row)
            found += std::ranges::any_of(k_best(rows.view().slice(row, 1).span(), k),
                                         [&](Index column) { return hit(row, column); });
        return static_cast<double>(found) / static_cast<double>(std::max<Index>(rows.extent(0), 1));
    };
    return {share(scores.image_to_text, [&](Index picture, Index text) { return right(picture, text); }),
            share(scores.text_to_image, [&](Index text, Index picture) { return right(picture, text); })};
}

/// Ranks all texts for each picture and all pictures for each text: by contrast, and the `best` of each by matching again.
/// errors  as match; Errc::option_value
/// cost    as match, but matching only for pairs that are among the best; keeps what the image encoder made of each picture
template <class Vision, class Query>
RetrievalScores retrieve(const Blip2Retrieval<Vision, Query>& model, const Blip2Processor& processor,
                         std::span<const Image> images, std::span<const std::string> texts, Index best,
                         const MatchOptions& options, Scratch& s) {
    using Model = Blip2Retrieval<Vision, Query>;
    const MatchTexts words = match_texts(*processor.tokenizer, texts, Query::config.positions, options);
    const auto n = static_cast<Index>(images.size()), m = static_cast<Index>(texts.size());
    const auto frame = s.frame();
    const ConstRows<Model::embedding> text_features = model.text_features(words, s);
    Tensor<float, dyn, dyn> cosines({n, m});
    std::vector<Tensor<float, dyn, Vision::width>> seen;
    for (Index i = 0; i < n; ++i) {
        const auto one = s.frame();
        const auto patches = encode_image(model.vision, processor.preprocess, images[static_cast<std::size_t>(i)], s);
        std::ranges::copy(patches, seen.emplace_back(std::array{patches.extent(0), Vision::width}).data());
        const auto keys = model.qformer.read(patches, s);
        std::ranges::copy(model.itc(model.image_features(keys, s), text_features, s), cosines.data() + i * m);
    }
    const auto read = [&](Index i, Scratch& scratch) {
        return model.qformer.read(seen[static_cast<std::size_t>(i)], scratch);
    };
    return rerank(model, rank_by_contrast(cosines), words, best, read, s);
}
template <class Model>
RetrievalScores retrieve(const Pipeline<Model>& blip2, std::span<const Image> images,
                         std::span<const std::string> texts, Index best = 128, const MatchOptions& options = {}) {
    Scratch s;
    return retrieve(blip2.model, blip2.processor, images, texts, best, options, s);
}

}  // namespace tessera::inline TESSERA_ISA
