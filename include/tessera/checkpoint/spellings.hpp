// What others call our parameters: one table per module and dialect. `#` stands for the number of a layer.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

/// The families of models that other people's names are known of.
enum class Architecture : std::uint8_t {
    own,  // none of those below: tensors are called what we call them
    vit,
    qformer,
    opt,
    blip2,
};

/// The tables, and the words they are written in.
namespace spelling {

/// What a line of a table stands for.
enum class Kind : std::uint8_t {
    linear,   // .weight, a matrix, and .bias
    norm,     // .weight and .bias (.gamma and .beta in old files), vectors
    patches,  // .weight, a convolution over three colours, and .bias
    query,    // .weight and .bias, the first third of the rows
    key,      //   the second
    value,    //   the last
    matrix,   // the tensor itself; also for those below
    vector,
    batched,  // a matrix behind an extent of 1
    zeros,    // not stored: zeros where the file has this tensor
};

struct Line {
    std::string_view ours, theirs;
    Kind kind;
    bool optional = false;  // a model without it may leave it in the file
};

using enum Kind;

inline constexpr Line vit_spellings[] = {
    {"patch_embedding", "embeddings.patch_embedding", patches},
    {"blocks.#.norm1", "encoder.layers.#.layer_norm1", norm},
    {"blocks.#.norm2", "encoder.layers.#.layer_norm2", norm},
    {"blocks.#.mlp.up", "encoder.layers.#.mlp.fc1", linear},
    {"blocks.#.mlp.down", "encoder.layers.#.mlp.fc2", linear},
    {"norm", "post_layernorm", norm, true},
};
inline constexpr Line eva_spellings[] = {
    {"class_token", "embeddings.class_embedding", batched},
    {"position", "embeddings.position_embedding", batched},
    {"blocks.#.attention.query", "encoder.layers.#.self_attn.qkv", query},
    {"blocks.#.attention.key", "encoder.layers.#.self_attn.qkv", key},
    {"blocks.#.attention.value", "encoder.layers.#.self_attn.qkv", value},
    {"blocks.#.attention.output", "encoder.layers.#.self_attn.projection", linear},
};
inline constexpr Line clip_spellings[] = {
    {"class_token", "embeddings.class_embedding", vector},
    {"position", "embeddings.position_embedding.weight", matrix},
    {"input_norm", "pre_layrnorm", norm},  // sic
    {"blocks.#.attention.query", "encoder.layers.#.self_attn.q_proj", linear},
    {"blocks.#.attention.key", "encoder.layers.#.self_attn.k_proj", linear},
    {"blocks.#.attention.value", "encoder.layers.#.self_attn.v_proj", linear},
    {"blocks.#.attention.output", "encoder.layers.#.self_attn.out_proj", linear},
};
/// LAVIS's ViT-g has no bias for keys.
inline constexpr Line lavis_vit_spellings[] = {
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
inline constexpr Line lavis_vit_norm_spellings[] = {{"norm", "ln_vision", norm}};

inline constexpr Line qformer_spellings[] = {
    {"norm", "layernorm", norm},
    {"layers.#.self.query", "encoder.layer.#.attention.attention.query", linear},
    {"layers.#.self.key", "encoder.layer.#.attention.attention.key", linear},
    {"layers.#.self.value", "encoder.layer.#.attention.attention.value", linear},
    {"layers.#.self.output", "encoder.layer.#.attention.output.dense", linear},
    {"layers.#.self_norm", "encoder.layer.#.attention.output.LayerNorm", norm},
    {"layers.#.cross.query", "encoder.layer.#.crossattention.attention.query", linear},
    {"layers.#.cross.key", "encoder.layer.#.crossattention.attention.key", linear},
    {"layers.#.cross.value", "encoder.layer.#.crossattention.attention.value", linear},
    {"layers.#.cross.output", "encoder.layer.#.crossattention.output.dense", linear},
    {"layers.#.cross_norm", "encoder.layer.#.crossattention.output.LayerNorm", norm},
    {"layers.#.query_mlp.up", "encoder.layer.#.intermediate_query.dense", linear},
    {"layers.#.query_mlp.down", "encoder.layer.#.output_query.dense", linear},
    {"layers.#.query_norm", "encoder.layer.#.output_query.LayerNorm", norm},
    {"layers.#.text_mlp.up", "encoder.layer.#.intermediate.dense", linear, true},
    {"layers.#.text_mlp.down", "encoder.layer.#.output.dense", linear, true},
    {"layers.#.text_norm", "encoder.layer.#.output.LayerNorm", norm, true},
};
/// Where BERT and LAVIS differ from that.
inline constexpr Line bert_spellings[] = {
    {"norm", "embeddings.LayerNorm", norm},
    {"layers.#.self.query", "encoder.layer.#.attention.self.query", linear},
    {"layers.#.self.key", "encoder.layer.#.attention.self.key", linear},
    {"layers.#.self.value", "encoder.layer.#.attention.self.value", linear},
    {"layers.#.cross.query", "encoder.layer.#.crossattention.self.query", linear},
    {"layers.#.cross.key", "encoder.layer.#.crossattention.self.key", linear},
    {"layers.#.cross.value", "encoder.layer.#.crossattention.self.value", linear},
};
inline constexpr Line qformer_text_spellings[] = {
    {"word.weight", "embeddings.word_embeddings.weight", matrix, true},
    {"position", "embeddings.position_embeddings.weight", matrix, true},
};
inline constexpr Line query_spellings[] = {{"queries", "query_tokens", batched}};

inline constexpr Line opt_spellings[] = {
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
inline constexpr Line tied_spellings[] = {{"embedding.weight", "lm_head.weight", matrix}};

inline constexpr Line projection_spellings[] = {{"projection", "language_projection", linear}};
inline constexpr Line lavis_projection_spellings[] = {{"projection", "opt_proj", linear}};

/// A table, and where it applies: `ours` and `theirs` go before its names. Where two tensors stand for one parameter,
/// the earlier section counts.
struct Section {
    std::string_view ours, theirs;
    std::span<const Line> lines;
};

inline constexpr Section vit_sections[] = {
    {"", "vision_model.", vit_spellings},
    {"", "vision_model.", eva_spellings},
    {"", "vision_model.", clip_spellings},
    {"", "", vit_spellings},
    {"", "", eva_spellings},
    {"", "", clip_spellings},
    {"", "visual_encoder.", lavis_vit_spellings},
    {"", "", lavis_vit_norm_spellings},
};
inline constexpr Section qformer_sections[] = {
    {"", "", query_spellings},
    {"", "qformer.", qformer_spellings},
    {"", "qformer.", bert_spellings},
    {"", "qformer.", qformer_text_spellings},
    {"", "", qformer_spellings},
    {"", "", bert_spellings},
    {"", "", qformer_text_spellings},
    {"", "Qformer.bert.", qformer_spellings},
    {"", "Qformer.bert.", bert_spellings},
    {"", "Qformer.bert.", qformer_text_spellings},
    {"", "bert.", qformer_spellings},
    {"", "bert.", bert_spellings},
    {"", "bert.", qformer_text_spellings},
};
inline constexpr Section opt_sections[] = {
    {"", "model.decoder.", opt_spellings},
    {"", "decoder.", opt_spellings},
    {"", "language_model.model.decoder.", opt_spellings},
    {"", "language_model.decoder.", opt_spellings},
    {"", "opt_model.model.decoder.", opt_spellings},
    {"", "", tied_spellings},
    {"", "language_model.", tied_spellings},
    {"", "opt_model.", tied_spellings},
};
inline constexpr Section blip2_sections[] = {
    {"vision.", "vision_model.", vit_spellings},
    {"vision.", "vision_model.", eva_spellings},
    {"vision.", "vision_model.", clip_spellings},
    {"vision.", "visual_encoder.", lavis_vit_spellings},
    {"vision.", "", lavis_vit_norm_spellings},
    {"qformer.", "", query_spellings},
    {"qformer.", "qformer.", qformer_spellings},
    {"qformer.", "qformer.", bert_spellings},
    {"qformer.", "", qformer_text_spellings},
    {"qformer.", "qformer.", qformer_text_spellings},
    {"qformer.", "Qformer.bert.", qformer_spellings},
    {"qformer.", "Qformer.bert.", bert_spellings},
    {"qformer.", "Qformer.bert.", qformer_text_spellings},
    {"", "", projection_spellings},
    {"", "", lavis_projection_spellings},
    {"decoder.", "language_model.model.decoder.", opt_spellings},
    {"decoder.", "language_model.decoder.", opt_spellings},
    {"decoder.", "opt_model.model.decoder.", opt_spellings},
    {"decoder.", "language_model.", tied_spellings},
    {"decoder.", "opt_model.", tied_spellings},
};

constexpr std::span<const Section> sections(Architecture architecture) {
    switch (architecture) {
        case Architecture::own:
            return {};
        case Architecture::vit:
            return vit_sections;
        case Architecture::qformer:
            return qformer_sections;
        case Architecture::opt:
            return opt_sections;
        case Architecture::blip2:
            return blip2_sections;
    }
    return {};
}

/// Tensors that files have and these models do not need: tables of positions 0, 1, 2 …, heads of other tasks, parts of
/// BERT that the Q-Former leaves out, CLIP's text side. `*` stands for anything.
inline constexpr std::string_view common_extras[] = {
    "*position_ids",
    "*token_type_embeddings.weight",
    "*pooler.*",
    "*seq_relationship.*",
    "temp",
    "itm_head.*",
    "vision_projection.*",
    "text_projection.*",
    "vision_proj.*",
    "text_proj.*",
    "cls.*",
    "Qformer.cls.*",
    "text_model.*",
    "visual_projection.*",
    "logit_scale",
};
/// Other parts of a whole BLIP-2, in whose file one part is looked for.
inline constexpr std::string_view beside_vit[] = {"query_tokens",
                                                  "qformer.*",
                                                  "Qformer.*",
                                                  "embeddings.word_embeddings.*",
                                                  "embeddings.position_embeddings.*",
                                                  "language_projection.*",
                                                  "language_model.*",
                                                  "opt_proj.*",
                                                  "opt_model.*"};
inline constexpr std::string_view beside_qformer[] = {
    "vision_model.*",   "visual_encoder.*", "ln_vision.*", "language_projection.*",
    "language_model.*", "opt_proj.*",       "opt_model.*"};
inline constexpr std::string_view beside_opt[] = {"vision_model.*",        "visual_encoder.*", "ln_vision.*",
                                                  "query_tokens",          "qformer.*",        "Qformer.*",
                                                  "language_projection.*", "opt_proj.*"};

constexpr std::span<const std::string_view> beside(Architecture architecture) {
    switch (architecture) {
        case Architecture::vit:
            return beside_vit;
        case Architecture::qformer:
            return beside_qformer;
        case Architecture::opt:
            return beside_opt;
        case Architecture::own:
        case Architecture::blip2:
            return {};
    }
    return {};
}

}  // namespace spelling
}  // namespace tessera::inline TESSERA_ISA
