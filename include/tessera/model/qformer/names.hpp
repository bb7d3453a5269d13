// What others call the parameters of the Q-Former.
#pragma once
#include <tessera/checkpoint/name_map.hpp>

namespace tessera::inline TESSERA_ISA {

namespace qformer_lines {
using enum NameKind;

inline constexpr NameLine layers[] = {
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
inline constexpr NameLine bert[] = {
    {"norm", "embeddings.LayerNorm", norm},
    {"layers.#.self.query", "encoder.layer.#.attention.self.query", linear},
    {"layers.#.self.key", "encoder.layer.#.attention.self.key", linear},
    {"layers.#.self.value", "encoder.layer.#.attention.self.value", linear},
    {"layers.#.cross.query", "encoder.layer.#.crossattention.self.query", linear},
    {"layers.#.cross.key", "encoder.layer.#.crossattention.self.key", linear},
    {"layers.#.cross.value", "encoder.layer.#.crossattention.self.value", linear},
};
inline constexpr NameLine text[] = {
    {"word.weight", "embeddings.word_embeddings.weight", matrix, true},
    {"position", "embeddings.position_embeddings.weight", matrix, true},
};
inline constexpr NameLine matching[] = {
    {"vision_projection", "vision_projection", linear},
    {"text_projection", "text_projection", linear},
    {"vision_projection", "vision_proj", linear},
    {"text_projection", "text_proj", linear},
    {"itm_head", "itm_head", linear},
};
inline constexpr NameLine stage1[] = {{"vision_norm", "ln_vision", norm}, {"temperature", "temp", scalar}};
inline constexpr NameLine lm_head[] = {
    {"lm_head.dense", "Qformer.cls.predictions.transform.dense", linear},
    {"lm_head.norm", "Qformer.cls.predictions.transform.LayerNorm", norm},
    {"lm_head.bias", "Qformer.cls.predictions.bias", vector},
};
/// What LAVIS stores twice.
inline constexpr NameLine tied[] = {
    {"qformer.word.weight", "Qformer.cls.predictions.decoder.weight", matrix},
    {"lm_head.bias", "Qformer.cls.predictions.decoder.bias", vector},
};
inline constexpr NameLine queries[] = {{"queries", "query_tokens", batched}};

}  // namespace qformer_lines

/// The Q-Former alone, or a BERT to begin it with, as Hugging Face or LAVIS save them.
/// `text_prefixes` say where tables of text may lie, the first one where they are written.
inline NameMap qformer_names(std::initializer_list<std::string_view> text_prefixes = {"qformer.", "", "Qformer.bert.",
                                                                                      "bert."}) {
    NameMap names;
    names.add("", "", qformer_lines::queries);
    for (const char* prefix : {"qformer.", "", "Qformer.bert.", "bert."})
        names.add("", prefix, qformer_lines::layers).add("", prefix, qformer_lines::bert);
    for (const std::string_view prefix : text_prefixes) names.add("", prefix, qformer_lines::text);
    // Parts of BERT that the Q-Former leaves out, heads, the other parts of BLIP-2.
    return names.ignore({"*position_ids", "*token_type_embeddings.weight", "*pooler.*", "*seq_relationship.*", "cls.*",
                         "Qformer.cls.*", "temp", "itm_head.*", "vision_projection.*", "text_projection.*",
                         "vision_proj.*", "text_proj.*", "vision_model.*", "visual_encoder.*", "ln_vision.*",
                         "language_projection.*", "language_model.*", "opt_proj.*", "opt_model.*"});
}

/// The Q-Former with the heads of contrast and matching.
inline NameMap matching_names() {
    NameMap names;
    // Hugging Face has the tables of text beside the Q-Former here.
    names.add("qformer.", qformer_names({"", "qformer.", "Qformer.bert.", "bert."}))
        .add("", "", qformer_lines::matching);
    return names.ignore({"*position_ids", "*token_type_embeddings.weight", "*pooler.*", "*seq_relationship.*", "temp",
                         "cls.*", "Qformer.cls.*"});
}

/// What LAVIS trains in the first stage; the frozen image encoder may lie in the same file.
inline NameMap stage1_names() {
    NameMap names;
    names.add("qformer.", qformer_names()).add("", "", qformer_lines::matching).add("", "", qformer_lines::stage1);
    return names.add("", "", qformer_lines::lm_head)
        .add("", "", qformer_lines::tied)
        .ignore({"*position_ids", "*token_type_embeddings.weight", "*pooler.*", "*seq_relationship.*",
                 "visual_encoder.*", "vision_model.*"});
}

}  // namespace tessera::inline TESSERA_ISA
