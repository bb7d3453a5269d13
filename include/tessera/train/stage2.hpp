// The second stage of BLIP-2's training: the Q-Former learns to speak to a frozen language model.
#pragma once
#include <tessera/core/split_mix.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/train/loss/lm.hpp>

namespace tessera::inline TESSERA_ISA {

/// A batch of stage 2: what the frozen image encoder makes of n pictures, and the text that is to follow each.
template <Index Context>
struct Stage2Batch {
    ConstRows<Context> patches;  // [n·P, Context]
    TextBatch prompts;  // what is read and not scored: of OPT, it is in front of the text; T5's encoder reads it
    TextBatch texts;    // what is scored
};

/// The language-model loss of the texts, given pictures and prompts. Run it on a Tape whose Gradients have the Q-Former and
/// the projection: the gradient passes through the language model, which stays as it is.
/// units   as lm_loss and prefix_lm_loss
/// errors  those of QFormer and of the language model; Errc::option_value
/// source  Li 2023 (BLIP-2) §3.2
template <class Vision, class Query, OptConfig C>
Rows<1> stage2_loss(const Blip2<Vision, Query, Opt<C>>& model, const Stage2Batch<Query::context>& batch, Scratch& s) {
    const Index n = batch.texts.count();
    detail::require_rows("stage2_loss", Query::width, "prompts", n, batch.prompts.count());
    const auto total = batch.prompts.ids.size() + batch.texts.ids.size();
    const std::span ids(s.take<Token>(static_cast<Index>(total)), total);
    const std::span starts(s.take<Index>(n + 1), static_cast<std::size_t>(n) + 1);
    const std::span scored_from(s.take<Index>(n), static_cast<std::size_t>(n));
    auto to = ids.begin();
    starts[0] = 0;
    for (Index i = 0; i < n; ++i) {
        to = std::ranges::copy(batch.texts[i], std::ranges::copy(batch.prompts[i], to).out).out;
        starts[static_cast<std::size_t>(i) + 1] = static_cast<Index>(to - ids.begin());
        scored_from[static_cast<std::size_t>(i)] = batch.prompts.length(i);
    }
    const auto soft = model.projection(model.qformer(batch.patches, s, n), s);
    return lm_loss(model.language, soft, {ids, starts}, scored_from, s);
}
template <class Vision, class Query, T5Config C>
Rows<1> stage2_loss(const Blip2<Vision, Query, T5<C>>& model, const Stage2Batch<Query::context>& batch, Scratch& s) {
    const auto soft = model.projection(model.qformer(batch.patches, s, batch.texts.count()), s);
    return prefix_lm_loss(model.language, soft, batch.prompts, batch.texts, s);
}

/// Where a text is cut in two for the prefix language-model loss: uniformly, so that something follows; from `seed` alone.
/// shape   length > 0 → 0 … length − 1, the length of the prefix
/// source  Li 2023 (BLIP-2) §3.2: "randomly split a text into two parts"
inline Index prefix_length(Index length, std::uint64_t seed) {
    TESSERA_EXPECTS(length > 0);
    return static_cast<Index>((split_mix(seed) >> 11) % static_cast<std::uint64_t>(length));
}

}  // namespace tessera::inline TESSERA_ISA
