// What a language model is trained by: the words that follow, and in BLIP-2's second stage the words that follow a picture.
#pragma once
#include <tessera/model/opt/opt.hpp>
#include <tessera/model/qformer/text_batch.hpp>
#include <tessera/model/t5/t5.hpp>
#include <tessera/train/loss/cross_entropy.hpp>

namespace tessera::inline TESSERA_ISA {

/// Rows of each text one after another: first its share of `soft`, as many rows for each, then its words.
struct SoftTexts {
    Index soft;                     // rows of each
    std::span<const Index> starts;  // [n + 1]

    SoftTexts(Index soft_rows, const TextBatch& texts, Scratch& s) : soft(0) {
        const Index n = texts.count();
        if (n == 0 || soft_rows % n != 0)
            throw Error(Errc::option_value, "soft prompts: expected as many rows for each of ", n, " texts, found ",
                        soft_rows, " in all");
        soft = soft_rows / n;
        auto* const at = s.take<Index>(n + 1);
        for (Index i = 0; i <= n; ++i) at[i] = i * soft + texts.starts[static_cast<std::size_t>(i)];
        starts = {at, static_cast<std::size_t>(n) + 1};
    }
    Index start(Index i) const { return starts[static_cast<std::size_t>(i)]; }

    template <Index Vocabulary, Index Width>
    Rows<Width> embed(ConstRows<Width> prompts, const TextBatch& texts, const Embedding<Vocabulary, Width>& embedding,
                      Scratch& s) const {
        const auto x = s.rows<Width>(starts.back());
        for (Index i = 0; i < texts.count(); ++i) {
            if (soft > 0) copy_rows(x.slice(start(i), soft), prompts.slice(i * soft, soft), s);
            embedding.into(x.slice(start(i) + soft, texts.length(i)), texts[i], s);
        }
        return x;
    }
};

/// How surprised a decoder is by texts, which may follow soft prompts: of text i by its tokens from scored_from[i] on, so that
/// a prompt is read and not scored. Scores are computed for rows that are followed by such a token, no others.
/// shape   soft [n·Q, Embedding], where Q may be 0; n texts; scored_from [n], none for all from the first
/// units   the mean cross entropy of the scored tokens; the first of a text that follows nothing is not scored
/// errors  those of Opt; Errc::option_value for soft prompts that cannot be shared out, or an index beyond its text
/// cost    of scores: 2·scored·Embedding·Vocabulary flops
template <OptConfig C>
Rows<1> lm_loss(const Opt<C>& model, std::type_identity_t<ConstRows<C.embedding>> soft, const TextBatch& texts,
                std::span<const Index> scored_from, Scratch& s) {
    const SoftTexts at(soft.extent(0), texts, s);
    const Index n = texts.count(), least = at.soft > 0 ? 0 : 1;
    const auto first = [&](Index i) {
        const Index from = scored_from.empty() ? 0 : scored_from[static_cast<std::size_t>(i)];
        if (from < 0 || from > texts.length(i))
            throw Error(Errc::option_value, "text ", i, ": expected a first scored token from 0 to ", texts.length(i),
                        ", found ", from);
        return std::min(std::max(from, least), texts.length(i));
    };
    Index scored = 0;
    for (Index i = 0; i < n; ++i) scored += texts.length(i) - first(i);

    const auto states = model(at.embed(soft, texts, model.embedding, s), at.starts, s);
    const auto before = s.rows<C.embedding>(scored);
    const std::span targets(s.take<Token>(scored), static_cast<std::size_t>(scored));
    for (Index i = 0, row = 0; i < n; ++i) {
        const Index from = first(i), count = texts.length(i) - from;
        if (count == 0) continue;
        copy_rows(before.slice(row, count), states.slice(at.start(i) + at.soft + from - 1, count), s);
        std::copy_n(texts[i].begin() + from, count, targets.begin() + row);
        row += count;
    }
    return cross_entropy<C.vocabulary>(model.logits(before, s), targets, s);
}

/// The prefix language-model loss: the encoder reads soft prompts and prefixes, the decoder is to write what follows.
/// shape   soft [n·Q, Width], where Q may be 0; n prefixes, which may be empty where Q is not; n texts that follow
/// units   the mean cross entropy of all tokens that follow
/// errors  those of T5; Errc::option_value
/// source  Li 2023 (BLIP-2) §3.2
template <T5Config C>
Rows<1> prefix_lm_loss(const T5<C>& model, std::type_identity_t<ConstRows<C.width>> soft, const TextBatch& prefixes,
                       const TextBatch& following, Scratch& s) {
    if (prefixes.count() != following.count())
        throw Error(Errc::option_value, "prefix_lm_loss: expected as many prefixes as texts that follow, found ",
                    prefixes.count(), " and ", following.count());
    const SoftTexts at(soft.extent(0), prefixes, s);
    const auto source = model.encoder(at.embed(soft, prefixes, model.embedding, s), at.starts, s);
    const std::span begun(s.take<Token>(static_cast<Index>(following.ids.size())), following.ids.size());
    for (Index i = 0; i < following.count(); ++i)
        for (Index t = 0, row = following.starts[static_cast<std::size_t>(i)]; t < following.length(i); ++t, ++row)
            begun[static_cast<std::size_t>(row)] =
                t == 0 ? T5<C>::start : following.ids[static_cast<std::size_t>(row) - 1];
    const auto states = model.decoder(model.embedding(begun, s), following.starts, source, at.starts, s);
    return cross_entropy<C.vocabulary>(model.logits(states, s), following.ids, s);
}

}  // namespace tessera::inline TESSERA_ISA
