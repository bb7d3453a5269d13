// Where the first stage begins: BERT's weights, or what has been trained before.
#pragma once
#include <algorithm>
#include <map>
#include <tessera/checkpoint/save_weights.hpp>
#include <tessera/model/qformer/stage1.hpp>
#include <tessera/train/fresh.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

inline constexpr NameLine bert_head[] = {
    {"lm_head.dense", "cls.predictions.transform.dense", NameKind::linear},
    {"lm_head.norm", "cls.predictions.transform.LayerNorm", NameKind::norm},
    {"lm_head.bias", "cls.predictions.bias", NameKind::vector},
    {"qformer.word.weight", "cls.predictions.decoder.weight", NameKind::matrix},
    {"lm_head.bias", "cls.predictions.decoder.bias", NameKind::vector},
};
inline constexpr NameLine hugging_face_norm[] = {{"vision_norm", "vision_model.post_layernorm", NameKind::norm}};

/// BERT with its language-model head, as Hugging Face saves BertForMaskedLM and BertForPreTraining.
inline NameMap bert_names() {
    NameMap names;
    for (const char* prefix : {"bert.", ""})
        names
            .add("qformer.", prefix, qformer_lines::bert)  // which are told in messages
            .add("qformer.", prefix, qformer_lines::layers)
            .add("qformer.", prefix, qformer_lines::text);
    names.add("", "", bert_head);
    return names.ignore({"*position_ids", "*token_type_embeddings.weight", "*pooler.*", "*seq_relationship.*"});
}

/// Rows of the table of words in `checkpoint`; −1 where it has none.
inline Index stored_words(const Checkpoint& checkpoint, const NameMap& names) {
    for (const Checkpoint::Entry& entry : checkpoint.tensors())
        for (const NameMap::Place& place : names.places(entry.name()))
            if (place.path == "qformer.word.weight" && entry.tensor->shape.size() == 2) return entry.tensor->shape[0];
    return -1;
}

/// Sets those of `leaves` that belong to `part`. Of the words there may be fewer than the model has: the others stay as they are.
inline void read_part(std::span<const NamedLeaf> leaves, const Checkpoint& checkpoint, const NameMap& names,
                      const LoadPart& part) {
    const Index words = stored_words(checkpoint, names);
    std::vector<TensorSpec> specs;
    for (const auto& [path, leaf] : leaves) {
        TensorSpec spec{path, leaf.rows(), leaf.columns()};
        if (path == "qformer.word.weight" && words > 0) spec.rows = std::min(words, spec.rows);
        if (path == "lm_head.bias" && words > 0) spec.columns = std::min(words, spec.columns);
        specs.push_back(std::move(spec));
    }
    const LoadPlan plan = plan_load(specs, checkpoint, names, part);
    check_copies(plan);
    read_planned(leaves, plan, part.role);
}

/// The queries' feed-forward parts begin as those of the text.
inline void copy_text_to_queries(std::span<const NamedLeaf> leaves) {
    std::map<std::string, LeafRef, std::less<>> by_path;
    for (const auto& [path, leaf] : leaves) by_path.emplace(path, leaf);
    for (const auto& [path, leaf] : leaves)
        for (const std::string_view part : {".query_mlp.", ".query_norm."})
            if (const auto at = path.find(part); at != path.npos) {
                std::string text = path;
                text.replace(at + 1, std::string_view("query").size(), "text");
                copy_leaf(leaf, by_path.find(text)->second);
            }
}

}  // namespace detail

/// Sets a stage-1 model to fresh numbers: the Q-Former and its language-model head as BERT begins, the projections and the matching
/// head as torch.nn.Linear does, a temperature of 0.07. All of it is f32, so that it can learn.
/// source  Li 2023 (BLIP-2) §3.1; LAVIS, Blip2Qformer
template <class Query>
void stage1_fresh(Blip2Stage1<Query>& model, std::uint64_t seed) {
    for (const NamedLeaf& parameter : leaves_of(model)) {
        const bool is_head = parameter.path.starts_with("itm_head.") || parameter.path.starts_with("vision_proj") ||
                             parameter.path.starts_with("text_proj");
        begin_fresh(parameter, seed, is_head ? Fresh::torch : Fresh::bert, is_head ? Query::width : 0);
    }
    model.temperature.fill(0.07f);
}

/// Begins stage 1 as the paper does: self-attention, text feed-forward parts, words, positions and the language-model head are those of
/// a BERT (bert-base-uncased, also with the names gamma and beta of old files); the queries' feed-forward parts are copies of the
/// text's; queries, cross-attention, heads and rows of words that BERT lacks, as [DEC], are fresh.
/// errors  Errc::checkpoint_missing, _shape, _type, _value of the first parameter that BERT should have: `BERT: …`
/// source  Li 2023 (BLIP-2) §3.1; LAVIS, Blip2Qformer
template <class Query>
void stage1_from_bert(Blip2Stage1<Query>& model, const Checkpoint& bert, std::uint64_t seed) {
    stage1_fresh(model, seed);
    const std::vector<NamedLeaf> leaves = leaves_of(model);
    detail::read_part(leaves, bert, detail::bert_names(),
                      {"BERT", [](std::string_view path) {
                           for (const char* own : {"cross", "query_mlp", "query_norm"})
                               if (path.find(own) != path.npos) return false;
                           return path.starts_with("lm_head.") ||
                                  (path.starts_with("qformer.") && path != "qformer.queries");
                       }});
    detail::copy_text_to_queries(leaves);
}

/// Begins with a stage-1 checkpoint of LAVIS or of this library, or with a BLIP-2 for retrieval of Hugging Face. The latter has neither
/// temperature nor language-model head: they are fresh then.
/// errors  Errc::checkpoint_missing, _shape, _type, _value: `Q-Former: …`
template <class Query>
void stage1_from_checkpoint(Blip2Stage1<Query>& model, const Checkpoint& checkpoint, std::uint64_t seed) {
    stage1_fresh(model, seed);
    NameMap names = stage1_names();
    names.add("", "", detail::hugging_face_norm);
    const auto has = [&](std::string_view name) { return checkpoint.find(name) != nullptr; };
    const bool temperature = has("temp"), head = has("Qformer.cls.predictions.bias");
    detail::read_part(leaves_of(model), checkpoint, names, {QFormerConfig::role, [=](std::string_view path) {
                                                                if (path == "temperature") return temperature;
                                                                return head || !path.starts_with("lm_head.");
                                                            }});
}

}  // namespace tessera::inline TESSERA_ISA
