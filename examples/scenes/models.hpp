// The shapes of the models that learn the world of scenes: BLIP-2's parts, small enough to be trained in minutes.
#pragma once
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/blip2/retrieval.hpp>
#include <tessera/model/qformer/stage1.hpp>

#include "draw.hpp"

namespace scenes {

// How many tokens the tokenizers have (tokenizers/*.hpp), [DEC] among them; `<image>` comes after.
inline constexpr Index bert_tokens = 48, opt_tokens = 397, t5_tokens = 46;

inline constexpr tessera::VitConfig vision_config = tessera::checked(
    tessera::VitConfig{.image = picture_side, .patch = 8, .width = 96, .heads = 3, .hidden = 384, .layers = 4});

/// Two queries to three patches, and cross-attention in every layer: which colour belongs to which object is the last
/// thing that is learned, and it is learned sooner so.
inline constexpr tessera::QFormerConfig qformer_config =
    tessera::checked(tessera::QFormerConfig{.queries = 24,
                                            .width = 96,
                                            .heads = 3,
                                            .hidden = 256,
                                            .layers = 4,
                                            .cross_every = 1,
                                            .context = vision_config.width,
                                            .vocabulary = bert_tokens,
                                            .positions = 64,
                                            .embedding = 64});
/// The same in stage 2, which needs no text path.
consteval tessera::QFormerConfig without_text(tessera::QFormerConfig c) {
    const tessera::QFormerConfig usual;
    c.vocabulary = usual.vocabulary, c.embedding = usual.embedding;
    return tessera::checked(c);
}
inline constexpr tessera::QFormerConfig qformer_stage2_config = without_text(qformer_config);

/// Rows for all tokens and `<image>`, in sixteens.
constexpr Index rows_for(Index tokens) { return (tokens + 1 + 15) / 16 * 16; }

inline constexpr tessera::OptConfig opt_config = tessera::checked(tessera::OptConfig{.vocabulary = rows_for(opt_tokens),
                                                                                     .width = 128,
                                                                                     .heads = 4,
                                                                                     .hidden = 384,
                                                                                     .layers = 4,
                                                                                     .positions = 160,
                                                                                     .embedding = 128});
inline constexpr tessera::T5Config t5_config = tessera::checked(tessera::T5Config{.vocabulary = rows_for(t5_tokens),
                                                                                  .width = 128,
                                                                                  .heads = 4,
                                                                                  .head_size = 32,
                                                                                  .hidden = 256,
                                                                                  .encoder_layers = 2,
                                                                                  .decoder_layers = 2});

using Vision = tessera::Vit<vision_config>;
using Stage1 = tessera::Blip2Stage1<tessera::QFormer<qformer_config>>;
using Retrieval = tessera::Blip2Retrieval<Vision, tessera::QFormer<qformer_config>>;
using Opt = tessera::Opt<opt_config>;
using T5 = tessera::T5<t5_config>;
using Blip2Opt = tessera::Blip2<Vision, tessera::QFormer<qformer_stage2_config>, Opt>;
using Blip2T5 = tessera::Blip2<Vision, tessera::QFormer<qformer_stage2_config>, T5>;

}  // namespace scenes
