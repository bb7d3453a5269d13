// The first stage of BLIP-2's training: three objectives, three masks, one Q-Former.
#pragma once
#include <optional>
#include <tessera/train/loss/itc.hpp>
#include <tessera/train/loss/itg.hpp>
#include <tessera/train/loss/itm.hpp>

namespace tessera::inline TESSERA_ISA {

/// A batch of stage 1: what the frozen image encoder makes of n pictures, and a text of each.
template <Index Context>
struct Stage1Batch {
    ConstRows<Context> patches;          // [n·P, Context], before the norm that is learned
    TextBatch texts;                     // [CLS] … [SEP]
    std::span<const Index> groups = {};  // [n]: pictures that share an id or a caption; none where no two do
};

struct Stage1Options {
    Token dec = 30522;  // what texts begin with where they are generated
    ItcOptions itc = {};
    HardNegativeOptions negatives = {};
    std::optional<HardNegatives> negatives_are = {};  // instead of drawn ones
    float itg_smoothing = 0.1f;
};

template <Index Embedding>
struct Stage1Losses {
    Rows<1> total, itc, itm, itg;
    float itm_accuracy;                  // share of the pairs that are told right
    ConstRows<Embedding> images, texts;  // what was contrasted: [n·queries], [n]
};

/// The losses of a batch. Run it on a Tape to go back from `total`.
/// errors  those of QFormer; Errc::rows_mismatch
/// cost    the queries pass once for contrast and generation; in matching, 3n pairs of queries and text
/// source  Li 2023 (BLIP-2) §3.1
template <class Query>
Stage1Losses<Query::config.embedding> stage1_losses(const Blip2Stage1<Query>& model,
                                                    const Stage1Batch<Query::context>& batch, Scratch& s,
                                                    const Stage1Options& options = {}) {
    const Index n = batch.texts.count();
    const auto keys = model.qformer.read(model.vision_norm(batch.patches, s), s, n);
    const auto left = Query::query_keys(n, s);

    // masks::uni_modal: queries see queries and the picture, text sees text.
    const auto images = model.image_features(model.qformer(keys, s, left), s);
    const auto texts = model.text_features(batch.texts, s);
    const Itc contrast = itc<Query::config.embedding>(images, Query::config.queries, texts, batch.groups,
                                                      model.temperature, s, options.itc);

    // masks::bidirectional: all see all.
    const HardNegatives negatives = options.negatives_are
                                        ? *options.negatives_are
                                        : hard_negatives(contrast.logits, batch.groups, s, options.negatives);
    const Itm matching = itm(model, keys, batch.texts, negatives, s);

    // masks::multimodal_causal: text sees the queries, which are there already, and its own past.
    const Rows<1> generation = itg(model, left, batch.texts, options.dec, s, options.itg_smoothing);

    return {.total = sum({{contrast.loss}, {matching.loss}, {generation}}, s),
            .itc = contrast.loss,
            .itm = matching.loss,
            .itg = generation,
            .itm_accuracy = matching.accuracy(),
            .images = images,
            .texts = texts};
}

}  // namespace tessera::inline TESSERA_ISA
