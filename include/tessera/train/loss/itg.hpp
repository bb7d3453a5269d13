// Image-grounded text generation (ITG), the third objective of BLIP-2's first stage.
#pragma once
#include <tessera/model/qformer/stage1.hpp>
#include <tessera/train/loss/cross_entropy.hpp>

namespace tessera::inline TESSERA_ISA {

/// The texts with [DEC] where [CLS] was.
inline TextBatch with_first_token(const TextBatch& texts, Token first, Scratch& s) {
    const std::span ids(s.take<Token>(static_cast<Index>(texts.ids.size())), texts.ids.size());
    std::copy(texts.ids.begin(), texts.ids.end(), ids.begin());
    for (Index i = 0; i < texts.count(); ++i) {
        if (texts.length(i) == 0)
            throw Error(Errc::option_value, "text ", i, ": expected at least one token, found none");
        ids[static_cast<std::size_t>(texts.starts[static_cast<std::size_t>(i)])] = first;
    }
    return {ids, texts.starts};
}
/// What follows each token of its text; −1 behind the last.
inline std::span<const Token> next_tokens(const TextBatch& texts, Scratch& s) {
    const std::span next(s.take<Token>(static_cast<Index>(texts.ids.size())), texts.ids.size());
    for (Index i = 0; i < texts.count(); ++i)
        for (Index t = texts.starts[static_cast<std::size_t>(i)], end = t + texts.length(i); t < end; ++t)
            next[static_cast<std::size_t>(t)] = t + 1 < end ? texts.ids[static_cast<std::size_t>(t) + 1] : -1;
    return next;
}

/// Each text, word by word, from its picture: text sees the queries and what came before it, queries see no text
/// (masks::multimodal_causal). So what the queries have left in a pass without text, such as that of ITC, is all that is needed.
/// shape   seen: of n pictures in each layer, n texts
/// units   the mean cross entropy of all tokens but the first of each text
/// errors  those of QFormer; Errc::option_value for a text without a token
/// source  Li 2023 (BLIP-2) §3.1; LAVIS, Blip2Qformer
template <class Query>
Rows<1> itg(const Blip2Stage1<Query>& model, std::span<const QueryKeys<Query::width>> seen, const TextBatch& texts,
            Token dec, Scratch& s, float smoothing = 0.1f) {
    const TextBatch spoken = with_first_token(texts, dec, s);
    const auto logits = model.logits(model.qformer.text_after(seen, spoken, s), s);
    return cross_entropy<Query::config.vocabulary>(logits, next_tokens(spoken, s), s, smoothing);
}

/// The same in one pass of queries and text, under the mask as the paper draws it.
/// shape   keys of n pictures, n texts
/// cost    the queries once more
template <class Query, Mask Rule>
Rows<1> itg(const Blip2Stage1<Query>& model, const typename Query::Keys& keys, const TextBatch& texts, Token dec,
            const Rule& mask, Scratch& s, float smoothing = 0.1f) {
    constexpr Index queries = Query::config.queries;
    const TextBatch spoken = with_first_token(texts, dec, s);
    const Index n = texts.count();
    auto* const pairs = s.take<ImageTextPair>(n);
    for (Index i = 0; i < n; ++i) pairs[i] = {i, i};
    const auto states = model.qformer(keys, {pairs, static_cast<std::size_t>(n)}, spoken, mask, s);
    const auto text = s.rows<Query::width>(static_cast<Index>(spoken.ids.size()));
    for (Index i = 0; i < n; ++i) {
        const Index start = spoken.starts[static_cast<std::size_t>(i)], length = spoken.length(i);
        copy_rows(text.slice(start, length), states.slice(start + (i + 1) * queries, length), s);
    }
    return cross_entropy<Query::config.vocabulary>(model.logits(text, s), next_tokens(spoken, s), s, smoothing);
}

}  // namespace tessera::inline TESSERA_ISA
