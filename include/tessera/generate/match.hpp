// From pictures and texts to how well they belong together.
#pragma once
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <tessera/generate/image_patches.hpp>
#include <tessera/model/blip2/retrieval.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct MatchOptions {
    bool itc = true, itm = true;  // which scores are wanted
    // A longer text is cut to so many tokens, [CLS] and [SEP] included: 32 in LAVIS, 35 where it retrieves. 0: it is not cut,
    // as in transformers, and one that is longer than the model's positions is an error.
    Index most_tokens = 0;
};

/// A score for each picture and each text.
/// shape   each [pictures, texts]; empty where it was not wanted
struct MatchScores {
    Tensor<float, dyn, dyn> itc;         // image-text contrast: a cosine, −1 … 1
    Tensor<float, dyn, dyn> itm;         // image-text matching: the probability that they match
    Tensor<float, dyn, dyn> itm_logits;  // the logit of "match", which LAVIS ranks by
};

/// Texts as the Q-Former reads them, [CLS] … [SEP], one after another.
struct MatchTexts {
    std::vector<Token> ids;
    std::vector<Index> starts{0};

    operator TextBatch() const { return {ids, starts}; }
};

/// errors  Errc::text_encoding; Errc::sequence_length names the text that is too long; Errc::option_value
inline MatchTexts match_texts(const Tokenizer& tokenizer, std::span<const std::string> texts, Index positions,
                              const MatchOptions& options = {}) {
    const Index most = options.most_tokens;
    if (most != 0 && (most < 3 || most > positions))
        throw Error(Errc::option_value, "most_tokens: expected 0, or a number from 3 to ", positions, ", found ", most);
    MatchTexts out;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto ids = tokenizer.encode(texts[i]);
        const auto found = static_cast<Index>(ids.size());
        if (most != 0 && found > most) {
            ids[static_cast<std::size_t>(most) - 1] = ids.back();
            ids.resize(static_cast<std::size_t>(most));
        } else if (found > positions) {
            throw Error(Errc::sequence_length, "text ", i, ": expected at most ", positions, " tokens, found ", found,
                        "; most_tokens cuts it");
        }
        out.ids.insert(out.ids.end(), ids.begin(), ids.end());
        out.starts.push_back(static_cast<Index>(out.ids.size()));
    }
    return out;
}

/// What the image encoder makes of a picture.
/// shape   [P + 1, Vision::width], in scratch memory
template <class Vision>
Rows<Vision::width> encode_image(const Vision& vision, const Preprocess& settings, const Image& image, Scratch& s) {
    const ImagePatches<Vision> patches(image, settings, s);
    return vision(patches.rows, patches.grid, s);
}

/// How well each text describes each picture. Every picture passes the image encoder once, and its keys and values are
/// computed once for all texts; texts of different lengths stand side by side without padding. Model and processor may
/// serve many threads at once, each with a scratch of its own.
/// errors  Errc::text_encoding; Errc::sequence_length; Errc::option_value
/// cost    blip2-itm-vit-g: 0.54 Tflop a picture; with ITM 0.17·(32 + T) Gflop for each of its texts of T tokens
template <class Vision, class Query>
MatchScores match(const Blip2Retrieval<Vision, Query>& model, const Blip2Processor& processor,
                  std::span<const Image> images, std::span<const std::string> texts, const MatchOptions& options,
                  Scratch& s) {
    using Model = Blip2Retrieval<Vision, Query>;
    const MatchTexts words = match_texts(*processor.tokenizer, texts, Query::config.positions, options);
    const auto n = static_cast<Index>(images.size()), m = static_cast<Index>(texts.size());
    MatchScores out;
    if (options.itc) out.itc = Tensor<float, dyn, dyn>({n, m});
    if (options.itm) out.itm = out.itm_logits = Tensor<float, dyn, dyn>({n, m});
    const auto frame = s.frame();
    ConstRows<Model::embedding> text_features;
    if (options.itc) text_features = model.text_features(words, s);
    std::vector<ImageTextPair> pairs;
    for (Index text = 0; text < m; ++text) pairs.push_back({0, text});
    for (Index i = 0; i < n; ++i) {
        const auto one = s.frame();
        const auto keys = model.qformer.read(
            encode_image(model.vision, processor.preprocess, images[static_cast<std::size_t>(i)], s), s);
        if (options.itc)
            std::ranges::copy(model.itc(model.image_features(keys, s), text_features, s), out.itc.data() + i * m);
        if (!options.itm) continue;
        const auto logits = model.itm(keys, pairs, words, s);
        for (Index text = 0; text < m; ++text) {
            out.itm_logits(i, text) = logits(text, 1);
            out.itm(i, text) = 1 / (1 + std::exp(logits(text, 0) - logits(text, 1)));
        }
    }
    return out;
}

template <class Model>
MatchScores match(const Pipeline<Model>& blip2, std::span<const Image> images, std::span<const std::string> texts,
                  const MatchOptions& options, Scratch& s) {
    return match(blip2.model, blip2.processor, images, texts, options, s);
}
/// With a scratch of its own: `match(load<Blip2ItmVitG>(folder), pictures, {{"a cat", "a dog"}}).itm(0, 1)`.
template <class Model>
MatchScores match(const Pipeline<Model>& blip2, std::span<const Image> images, std::span<const std::string> texts,
                  const MatchOptions& options = {}) {
    Scratch s;
    return match(blip2, images, texts, options, s);
}

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

/// What LAVIS ranks by: of the best by contrast, the logit of "match" and the cosine added up; of all others `unranked`.
struct RetrievalScores {
    static constexpr float unranked = -100;
    Tensor<float, dyn, dyn> image_to_text;  // [pictures, texts], to find texts for a picture
    Tensor<float, dyn, dyn> text_to_image;  // [texts, pictures], to find pictures for a text
};

/// Ranks all texts for each picture and all pictures for each text: by contrast, and the `best` of each by matching again.
/// errors  as match; Errc::option_value
/// cost    as match, but matching only for pairs that are among the best; keeps what the image encoder made of each picture
/// source  LAVIS, compute_sim_matrix, where `best` is k_test
template <class Vision, class Query>
RetrievalScores retrieve(const Blip2Retrieval<Vision, Query>& model, const Blip2Processor& processor,
                         std::span<const Image> images, std::span<const std::string> texts, Index best,
                         const MatchOptions& options, Scratch& s) {
    using Model = Blip2Retrieval<Vision, Query>;
    if (best < 0) throw Error(Errc::option_value, "best: expected 0 or more, found ", best);
    const MatchTexts words = match_texts(*processor.tokenizer, texts, Query::config.positions, options);
    const auto n = static_cast<Index>(images.size()), m = static_cast<Index>(texts.size());
    const auto frame = s.frame();
    const ConstRows<Model::embedding> text_features = model.text_features(words, s);
    Tensor<float, dyn, dyn> by_image({n, m}), by_text({m, n});
    std::vector<Tensor<float, dyn, Vision::width>> seen;
    for (Index i = 0; i < n; ++i) {
        const auto one = s.frame();
        const auto patches = encode_image(model.vision, processor.preprocess, images[static_cast<std::size_t>(i)], s);
        std::ranges::copy(patches, seen.emplace_back(std::array{patches.extent(0), Vision::width}).data());
        const auto cosines = model.itc(model.image_features(model.qformer.read(patches, s), s), text_features, s);
        for (Index text = 0; text < m; ++text) by_image(i, text) = by_text(text, i) = cosines(0, text);
    }

    RetrievalScores out{Tensor<float, dyn, dyn>({n, m}), Tensor<float, dyn, dyn>({m, n})};
    std::ranges::fill(out.image_to_text.view(), RetrievalScores::unranked);
    std::ranges::fill(out.text_to_image.view(), RetrievalScores::unranked);
    Tensor<float, dyn, dyn> for_image({n, m}), for_text({n, m});  // 1 for the pairs that are among the best
    for (Index i = 0; i < n; ++i)
        for (const Index text : k_best(by_image.view().slice(i, 1).span(), best)) for_image(i, text) = 1;
    for (Index text = 0; text < m; ++text)
        for (const Index i : k_best(by_text.view().slice(text, 1).span(), best)) for_text(i, text) = 1;
    for (Index i = 0; i < n; ++i) {
        std::vector<ImageTextPair> pairs;
        for (Index text = 0; text < m; ++text)
            if (for_image(i, text) + for_text(i, text) > 0) pairs.push_back({0, text});
        if (pairs.empty()) continue;
        const auto one = s.frame();
        const auto logits = model.itm(model.qformer.read(seen[static_cast<std::size_t>(i)], s), pairs, words, s);
        for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
            const Index text = pairs[pair].text;
            const float score = logits(static_cast<Index>(pair), 1) + by_image(i, text);
            if (for_image(i, text) > 0) out.image_to_text(i, text) = score;
            if (for_text(i, text) > 0) out.text_to_image(text, i) = score;
        }
    }
    return out;
}
template <class Model>
RetrievalScores retrieve(const Pipeline<Model>& blip2, std::span<const Image> images,
                         std::span<const std::string> texts, Index best = 128, const MatchOptions& options = {}) {
    Scratch s;
    return retrieve(blip2.model, blip2.processor, images, texts, best, options, s);
}

}  // namespace tessera::inline TESSERA_ISA
