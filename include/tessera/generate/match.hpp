// From pictures and texts to how well they belong together.
#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <tessera/generate/image_patches.hpp>
#include <tessera/generate/options.hpp>
#include <tessera/model/blip2/retrieval.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

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

}  // namespace tessera::inline TESSERA_ISA
