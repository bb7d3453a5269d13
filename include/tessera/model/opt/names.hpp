// What others call the parameters of OPT.
#pragma once
#include <tessera/checkpoint/name_map.hpp>

namespace tessera::inline TESSERA_ISA {

namespace opt_lines {
using enum NameKind;

inline constexpr NameLine decoder[] = {
    {"embedding.weight", "embed_tokens.weight", matrix},
    {"position", "embed_positions.weight", matrix},
    {"project_in.weight", "project_in.weight", matrix},
    {"project_out.weight", "project_out.weight", matrix},
    {"layers.#.norm1", "layers.#.self_attn_layer_norm", norm},
    {"layers.#.attention.query", "layers.#.self_attn.q_proj", linear},
    {"layers.#.attention.key", "layers.#.self_attn.k_proj", linear},
    {"layers.#.attention.value", "layers.#.self_attn.v_proj", linear},
    {"layers.#.attention.output", "layers.#.self_attn.out_proj", linear},
    {"layers.#.norm2", "layers.#.final_layer_norm", norm},
    {"layers.#.mlp.up", "layers.#.fc1", linear},
    {"layers.#.mlp.down", "layers.#.fc2", linear},
    {"norm", "final_layer_norm", norm},
};
/// The output layer is the table of words; a file may hold either name, or both.
inline constexpr NameLine tied[] = {{"embedding.weight", "lm_head.weight", matrix}};

}  // namespace opt_lines

/// OPT inside another model: its names follow `prefix`.
inline NameMap opt_names_after(const std::string& prefix) {
    NameMap names;
    names.add("", prefix + "model.decoder.", opt_lines::decoder).add("", prefix + "decoder.", opt_lines::decoder);
    return names.add("", prefix, opt_lines::tied);
}

/// OPT as the language model of BLIP-2, as Hugging Face or LAVIS save it.
inline NameMap opt_names_in_blip2() {
    NameMap names;
    for (const char* prefix : {"language_model.", "opt_model."}) names.add("", opt_names_after(prefix));
    return names;
}

/// OPT alone, or out of a BLIP-2.
inline NameMap opt_names() {
    NameMap names = opt_names_after("");
    names.add("", opt_names_in_blip2());
    return names.ignore({"*position_ids", "vision_model.*", "visual_encoder.*", "ln_vision.*", "query_tokens",
                         "qformer.*", "Qformer.*", "language_projection.*", "opt_proj.*", "temp", "itm_head.*",
                         "vision_projection.*", "text_projection.*", "vision_proj.*", "text_proj.*"});
}

}  // namespace tessera::inline TESSERA_ISA
