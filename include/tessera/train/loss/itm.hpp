// Image-text matching (ITM), the second objective of BLIP-2's first stage.
#pragma once
#include <tessera/model/qformer/matching.hpp>
#include <tessera/train/loss/cross_entropy.hpp>
#include <tessera/train/loss/hard_negatives.hpp>

namespace tessera::inline TESSERA_ISA {

/// The matching of a batch: 3n pairs, fewer where there are no negatives, in the order of their pictures.
struct Itm {
    Rows<1> loss;
    ConstRows<2> logits;             // of "no match" and "match"
    std::span<const Token> matches;  // 1 where picture and text belong together

    /// The share of the pairs that are told right.
    float accuracy() const {
        Index right = 0;
        for (Index i = 0; i < logits.extent(0); ++i)
            right += (logits(i, 1) > logits(i, 0)) == (matches[static_cast<std::size_t>(i)] == 1);
        return static_cast<float>(right) / static_cast<float>(std::max<Index>(logits.extent(0), 1));
    }
};

/// Each picture with its text, and each with what it is set against: does the text match the picture? Queries and text see each
/// other (masks::bidirectional); a pair's logits are the mean of its queries'.
/// shape   keys of n pictures, n texts
/// units   the mean cross entropy of the pairs
/// errors  those of QFormer
/// source  Li 2023 (BLIP-2) §3.1
template <class Query>
Itm itm(const ImageTextMatching<Query>& model, const typename Query::Keys& keys, const TextBatch& texts,
        const HardNegatives& negatives, Scratch& s) {
    const Index n = keys.images();
    auto* const pairs = s.take<ImageTextPair>(3 * n);
    auto* const matches = s.take<Token>(3 * n);
    std::size_t count = 0;
    const auto add = [&](Index image, Index text, Token match) {
        pairs[count] = {image, text};
        matches[count++] = match;
    };
    for (Index image = 0; image < n; ++image) {
        add(image, image, 1);
        for (Index text = 0; text < n; ++text)
            if (negatives.images[static_cast<std::size_t>(text)] == image) add(image, text, 0);
        if (const Index text = negatives.texts[static_cast<std::size_t>(image)]; text >= 0) add(image, text, 0);
    }
    const std::span<const Token> labels(matches, count);
    const auto logits = model.itm(keys, {pairs, count}, texts, s);
    return {cross_entropy<2>(logits, labels, s), logits, labels};
}

}  // namespace tessera::inline TESSERA_ISA
