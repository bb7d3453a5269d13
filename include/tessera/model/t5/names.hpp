// What others call the parameters of T5.
#pragma once
#include <tessera/checkpoint/name_map.hpp>

namespace tessera::inline TESSERA_ISA {

namespace t5_lines {
using enum NameKind;

inline constexpr NameLine table[] = {{"embedding.weight", "shared.weight", matrix}};
inline constexpr NameLine stacks[] = {
    {"encoder.bias", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", matrix},
    {"encoder.layers.#.norm1", "encoder.block.#.layer.0.layer_norm", norm},
    {"encoder.layers.#.attention.query", "encoder.block.#.layer.0.SelfAttention.q", linear},
    {"encoder.layers.#.attention.key", "encoder.block.#.layer.0.SelfAttention.k", linear},
    {"encoder.layers.#.attention.value", "encoder.block.#.layer.0.SelfAttention.v", linear},
    {"encoder.layers.#.attention.output", "encoder.block.#.layer.0.SelfAttention.o", linear},
    {"encoder.layers.#.norm2", "encoder.block.#.layer.1.layer_norm", norm},
    {"encoder.layers.#.mlp.gate", "encoder.block.#.layer.1.DenseReluDense.wi_0", linear},
    {"encoder.layers.#.mlp.up", "encoder.block.#.layer.1.DenseReluDense.wi_1", linear},
    {"encoder.layers.#.mlp.up", "encoder.block.#.layer.1.DenseReluDense.wi", linear},  // not gated
    {"encoder.layers.#.mlp.down", "encoder.block.#.layer.1.DenseReluDense.wo", linear},
    {"encoder.norm", "encoder.final_layer_norm", norm},
    {"decoder.bias", "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", matrix},
    {"decoder.layers.#.norm1", "decoder.block.#.layer.0.layer_norm", norm},
    {"decoder.layers.#.attention.query", "decoder.block.#.layer.0.SelfAttention.q", linear},
    {"decoder.layers.#.attention.key", "decoder.block.#.layer.0.SelfAttention.k", linear},
    {"decoder.layers.#.attention.value", "decoder.block.#.layer.0.SelfAttention.v", linear},
    {"decoder.layers.#.attention.output", "decoder.block.#.layer.0.SelfAttention.o", linear},
    {"decoder.layers.#.cross_norm", "decoder.block.#.layer.1.layer_norm", norm},
    {"decoder.layers.#.cross.query", "decoder.block.#.layer.1.EncDecAttention.q", linear},
    {"decoder.layers.#.cross.key", "decoder.block.#.layer.1.EncDecAttention.k", linear},
    {"decoder.layers.#.cross.value", "decoder.block.#.layer.1.EncDecAttention.v", linear},
    {"decoder.layers.#.cross.output", "decoder.block.#.layer.1.EncDecAttention.o", linear},
    {"decoder.layers.#.norm2", "decoder.block.#.layer.2.layer_norm", norm},
    {"decoder.layers.#.mlp.gate", "decoder.block.#.layer.2.DenseReluDense.wi_0", linear},
    {"decoder.layers.#.mlp.up", "decoder.block.#.layer.2.DenseReluDense.wi_1", linear},
    {"decoder.layers.#.mlp.up", "decoder.block.#.layer.2.DenseReluDense.wi", linear},
    {"decoder.layers.#.mlp.down", "decoder.block.#.layer.2.DenseReluDense.wo", linear},
    {"decoder.norm", "decoder.final_layer_norm", norm},
};
/// Each stack may hold the table of words again.
inline constexpr NameLine repeated[] = {{"embedding.weight", "encoder.embed_tokens.weight", matrix},
                                        {"embedding.weight", "decoder.embed_tokens.weight", matrix}};
inline constexpr NameLine tied_head[] = {{"embedding.weight", "lm_head.weight", matrix}};
/// Where both are equal, transformers 5 stores the table of words alone.
inline constexpr NameLine own_head[] = {
    {.ours = "head.weight", .theirs = "lm_head.weight", .kind = matrix},
    {.ours = "head.weight", .theirs = "shared.weight", .kind = matrix, .substitute = true}};

}  // namespace t5_lines

/// T5 inside another model: its names follow `prefix`.
inline NameMap t5_names_after(const std::string& prefix, bool tied_head) {
    NameMap names;
    names.add("", prefix, t5_lines::table).add("", prefix, t5_lines::stacks);
    if (tied_head)
        names.add("", prefix, t5_lines::tied_head);
    else
        names.add("", prefix, t5_lines::own_head);
    return names.add("", prefix, t5_lines::repeated);
}

/// T5 as the language model of BLIP-2, as Hugging Face or LAVIS save it.
inline NameMap t5_names_in_blip2(bool tied_head) {
    NameMap names;
    for (const char* prefix : {"language_model.", "t5_model."}) names.add("", t5_names_after(prefix, tied_head));
    return names;
}

/// T5 alone, or out of a BLIP-2.
inline NameMap t5_names(bool tied_head) {
    NameMap names = t5_names_after("", tied_head);
    names.add("", t5_names_in_blip2(tied_head));
    return names.ignore({"*EncDecAttention.relative_attention_bias.weight", "*position_ids", "vision_model.*",
                         "visual_encoder.*", "ln_vision.*", "query_tokens", "qformer.*", "Qformer.*",
                         "language_projection.*", "t5_proj.*", "temp", "itm_head.*", "vision_projection.*",
                         "text_projection.*", "vision_proj.*", "text_proj.*"});
}

}  // namespace tessera::inline TESSERA_ISA
