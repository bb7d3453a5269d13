// Image-grounded text generation (ITG): the Q-Former itself as a language model that speaks of pictures.
#pragma once
#include <tessera/model/language_model.hpp>
#include <tessera/model/qformer/lm_head.hpp>
#include <tessera/model/qformer/qformer.hpp>

namespace tessera::inline TESSERA_ISA {

/// A LanguageModel whose texts are about the pictures it was made for, one text a picture: masks::multimodal_causal, row by
/// row. Queries do not see the text, so all that the text needs of a picture is what the queries leave in the cache: their
/// keys and values in each layer. Text rows have feed-forward parts of their own and no cross-attention.
/// errors  those of QFormer; Errc::option_value for another number of prompts than of pictures
/// cost    begin: one pass of the queries; append: 0.17 Gflop a token of BLIP-2, and 0.05 for its scores
/// source  Li 2023 (BLIP-2) §3.1; LAVIS, Blip2Qformer
template <class Query>
class QFormerDecoder {
  public:
    static constexpr Index embedding_width = Query::width, vocabulary = Query::config.vocabulary;
    static constexpr Index most_positions = Query::config.positions;
    using Cache = KeyValueCache<Query::width>;
    using Head = LmHead<vocabulary, Query::width>;

    /// All three must outlive it.
    QFormerDecoder(const Query& qformer, const Head& head, const typename Query::Keys& pictures)
        : embedding(qformer.word), qformer_(qformer), head_(head), pictures_(pictures) {}

    const Embedding<vocabulary, Query::width>& embedding;

    /// A prompt for each picture, of words alone: [DEC], and how the text begins.
    std::vector<Beginning<QFormerDecoder>> begin(std::span<const Prompt<embedding_width>> prompts, Index more,
                                                 Scratch& s, DType stored = DType::f32) const {
        if (static_cast<Index>(prompts.size()) != pictures_.images())
            throw Error(Errc::option_value, "QFormerDecoder: expected a prompt for each of ", pictures_.images(),
                        " pictures, found ", prompts.size());
        std::vector<Cache> caches;
        caches.reserve(prompts.size());
        for (const auto& [soft, ids] : prompts) {
            TESSERA_EXPECTS(soft.extent(0) == 0 && !ids.empty());
            caches.emplace_back(Query::config.layers, Query::config.queries + static_cast<Index>(ids.size()) + more,
                                stored);
        }
        fill(caches, s);
        std::vector<Beginning<QFormerDecoder>> out;
        out.reserve(prompts.size());
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const auto ids = prompts[i].ids;
            out.push_back({std::move(caches[i]), embedding(ids, s), {ids.begin(), ids.end()}});
        }
        return out;
    }

    Rows<embedding_width> append(ConstRows<embedding_width> embedded, std::span<const Continuation<Cache>> texts,
                                 Scratch& s) const {
        auto y = s.rows<embedding_width>(embedded.extent(0));
        const auto frame = s.frame();
        const auto x = s.rows<embedding_width>(embedded.extent(0));
        Index row = 0;
        for (const Continuation<Cache>& text : texts) {
            TESSERA_EXPECTS(static_cast<Index>(text.positions.size()) == text.rows);
            for (const Index position : text.positions) {
                if (position >= most_positions)
                    throw Error(Errc::sequence_length, "QFormer: expected at most ", most_positions,
                                " text tokens, found ", position + 1);
                add_rows(x.slice(row, 1), embedded.slice(row, 1), qformer_.position, position, s);
                ++row;
            }
        }
        const Index starts[] = {0, row};
        qformer_.run(
            y, x, {0, starts}, s,
            [&](Index layer, const auto& self, Rows<embedding_width> to, ConstRows<embedding_width> in,
                ConstRows<embedding_width> residual) { self.into(to, in, texts, layer, s, {.residual = residual}); },
            [](auto&&...) {});
        for (const Continuation<Cache>& text : texts) text.cache->advance(text.positions);
        return y;
    }

    Rows<vocabulary> logits(ConstRows<embedding_width> states, Scratch& s) const { return head_(states, embedding, s); }

  private:
    /// What the queries of each picture leave for its text. They have no place in it.
    void fill(std::span<Cache> caches, Scratch& s) const {
        constexpr Index queries = Query::config.queries;
        const auto frame = s.frame();
        const auto left = Query::query_keys(pictures_.images(), s);
        qformer_(pictures_, s, left);
        const std::span places(s.take<Index>(queries), std::size_t{queries});
        std::ranges::fill(places, Index{0});
        for (Index first = 0; Cache & cache : caches) {
            for (Index layer = 0; layer < Query::config.layers; ++layer) {
                const auto& [keys, values] = left[static_cast<std::size_t>(layer)];
                cache.write(layer, 0, {keys.slice(first, queries), values.slice(first, queries)}, s);
            }
            cache.advance(places);
            first += queries;
        }
    }

    const Query& qformer_;
    const Head& head_;
    const typename Query::Keys& pictures_;
};

}  // namespace tessera::inline TESSERA_ISA
