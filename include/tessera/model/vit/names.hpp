// What others call the parameters of the image encoders.
#pragma once
#include <tessera/checkpoint/name_map.hpp>

namespace tessera::inline TESSERA_ISA {

namespace vit_lines {
using enum NameKind;

inline constexpr NameLine common[] = {
    {"patch_embedding", "embeddings.patch_embedding", patches},
    {"blocks.#.norm1", "encoder.layers.#.layer_norm1", norm},
    {"blocks.#.norm2", "encoder.layers.#.layer_norm2", norm},
    {"blocks.#.mlp.up", "encoder.layers.#.mlp.fc1", linear},
    {"blocks.#.mlp.down", "encoder.layers.#.mlp.fc2", linear},
    {"norm", "post_layernorm", norm, true},
};
inline constexpr NameLine eva[] = {
    {"class_token", "embeddings.class_embedding", batched},
    {"position", "embeddings.position_embedding", batched},
    {"blocks.#.attention.query", "encoder.layers.#.self_attn.qkv", query},
    {"blocks.#.attention.key", "encoder.layers.#.self_attn.qkv", key},
    {"blocks.#.attention.value", "encoder.layers.#.self_attn.qkv", value},
    {"blocks.#.attention.output", "encoder.layers.#.self_attn.projection", linear},
};
inline constexpr NameLine clip[] = {
    {"class_token", "embeddings.class_embedding", vector},
    {"position", "embeddings.position_embedding.weight", matrix},
    {"input_norm", "pre_layrnorm", norm},  // sic
    {"blocks.#.attention.query", "encoder.layers.#.self_attn.q_proj", linear},
    {"blocks.#.attention.key", "encoder.layers.#.self_attn.k_proj", linear},
    {"blocks.#.attention.value", "encoder.layers.#.self_attn.v_proj", linear},
    {"blocks.#.attention.output", "encoder.layers.#.self_attn.out_proj", linear},
};
/// EVA-CLIP as LAVIS has it, without a bias for keys.
inline constexpr NameLine lavis_eva[] = {
    {"patch_embedding", "patch_embed.proj", patches},
    {"class_token", "cls_token", batched},
    {"position", "pos_embed", batched},
    {"blocks.#.norm1", "blocks.#.norm1", norm},
    {"blocks.#.norm2", "blocks.#.norm2", norm},
    {"blocks.#.attention.query", "blocks.#.attn.qkv", query},
    {"blocks.#.attention.key", "blocks.#.attn.qkv", key},
    {"blocks.#.attention.value", "blocks.#.attn.qkv", value},
    {"blocks.#.attention.query.bias", "blocks.#.attn.q_bias", vector},
    {"blocks.#.attention.key.bias", "blocks.#.attn.q_bias", zeros},
    {"blocks.#.attention.value.bias", "blocks.#.attn.v_bias", vector},
    {"blocks.#.attention.output", "blocks.#.attn.proj", linear},
    {"blocks.#.mlp.up", "blocks.#.mlp.fc1", linear},
    {"blocks.#.mlp.down", "blocks.#.mlp.fc2", linear},
};
/// CLIP as OpenAI wrote it, and LAVIS has it.
inline constexpr NameLine openai_clip[] = {
    {"patch_embedding", "conv1", patches},
    {"class_token", "class_embedding", vector},
    {"position", "positional_embedding", matrix},
    {"input_norm", "ln_pre", norm},
    {"blocks.#.norm1", "transformer.resblocks.#.ln_1", norm},
    {"blocks.#.norm2", "transformer.resblocks.#.ln_2", norm},
    {"blocks.#.attention.query", "transformer.resblocks.#.attn.in_proj_", query},
    {"blocks.#.attention.key", "transformer.resblocks.#.attn.in_proj_", key},
    {"blocks.#.attention.value", "transformer.resblocks.#.attn.in_proj_", value},
    {"blocks.#.attention.output", "transformer.resblocks.#.attn.out_proj", linear},
    {"blocks.#.mlp.up", "transformer.resblocks.#.mlp.c_fc", linear},
    {"blocks.#.mlp.down", "transformer.resblocks.#.mlp.c_proj", linear},
};
inline constexpr NameLine lavis_norm[] = {{"norm", "ln_vision", norm}};

}  // namespace vit_lines

/// The image encoder alone, of EVA-CLIP or CLIP, or of BLIP-2, as Hugging Face, LAVIS or OpenAI save it.
inline NameMap vit_names() {
    NameMap names;
    for (const char* prefix : {"vision_model.", ""})
        names.add("", prefix, vit_lines::common).add("", prefix, vit_lines::eva).add("", prefix, vit_lines::clip);
    for (const char* prefix : {"visual_encoder.", "visual.", ""})
        names.add("", prefix, vit_lines::lavis_eva).add("", prefix, vit_lines::openai_clip);
    names.add("", "", vit_lines::lavis_norm);
    // Tables of the numbers 0, 1, 2, …, CLIP's text side, what the encoders have after their last block, the other parts of
    // BLIP-2.
    return names.ignore({"*position_ids",
                         "*pooler.*",
                         "text_model.*",
                         "text_projection.*",
                         "visual_projection.*",
                         "logit_scale",
                         "visual_encoder.norm.*",
                         "visual_encoder.ln_post.*",
                         "visual_encoder.proj",
                         "visual.norm.*",
                         "visual.head.*",
                         "visual.ln_post.*",
                         "visual.proj",
                         "norm.*",
                         "fc_norm.*",
                         "head.*",
                         "ln_post.*",
                         "proj",
                         "query_tokens",
                         "qformer.*",
                         "Qformer.*",
                         "embeddings.word_embeddings.*",
                         "embeddings.position_embeddings.*",
                         "language_projection.*",
                         "language_model.*",
                         "opt_proj.*",
                         "opt_model.*",
                         "t5_proj.*",
                         "t5_model.*",
                         "temp",
                         "itm_head.*",
                         "vision_projection.*",
                         "vision_proj.*",
                         "text_proj.*",
                         "cls.*"});
}

}  // namespace tessera::inline TESSERA_ISA
