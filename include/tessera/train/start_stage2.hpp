// Where the second stage begins: a Q-Former of the first one and a language model, or a whole BLIP-2.
#pragma once
#include <tessera/generate/load_parts.hpp>
#include <tessera/train/fresh.hpp>

namespace tessera::inline TESSERA_ISA {

/// What the second stage trains; the image encoder and the language model stay as they are.
inline bool learns_in_stage2(std::string_view path) {
    return path.starts_with("qformer.") || path.starts_with("projection.");
}

namespace detail {
/// Fills the parameters that `from` has a tensor for: what learns as f32, the rest as the options say.
inline void fill_for_stage2(std::span<const NamedLeaf> leaves, const PlannedCheckpoint& from, LoadOptions options) {
    std::vector<NamedLeaf> frozen, learning;
    for (const Match& match : from.plan.matches)
        for (const NamedLeaf& leaf : leaves)
            if (leaf.path == match.spec.path) (learns_in_stage2(leaf.path) ? learning : frozen).push_back(leaf);
    if (!frozen.empty()) fill(frozen, std::span(&from, 1), options);
    options.weight_dtype = DType::f32;
    options.warn = {};  // which has been said
    if (!learning.empty()) fill(learning, std::span(&from, 1), options);
}
}  // namespace detail

/// Puts a model together for stage 2: the image encoder, the Q-Former of a stage-1 checkpoint (a state of a training run, or LAVIS's
/// blip2_pretrained.pth) with the norm after the encoder, a language model as published; the projection is fresh. The Q-Former and the
/// projection are f32, so that they can learn; the rest is kept as `options` say, by default as it is stored.
/// ```cpp
/// auto blip2 = stage2_from_parts<Model>(
///     {.vision = "eva_vit_g.pth", .qformer = "run/step-250000", .language = "facebook/opt-2.7b"}, 1);
/// Gradients gradients(blip2.model, learns_in_stage2);
/// ```
/// errors  those of load_parts
/// source  Li 2023 (BLIP-2) §3.2
template <class Model>
Pipeline<Model> stage2_from_parts(const PartPaths& parts, std::uint64_t seed, const LoadOptions& options = {}) {
    using Vision = decltype(Model::vision);
    using Query = decltype(Model::qformer);
    using Language = decltype(Model::language);
    const auto is_vision = [](std::string_view path) {
        return path.starts_with("vision.") && !path.starts_with("vision.norm.");
    };
    const auto is_language = [](std::string_view path) { return path.starts_with("language."); };
    const auto is_fresh = [](std::string_view path) { return path.starts_with("projection."); };
    const auto is_qformer = [=](std::string_view path) {
        return !is_vision(path) && !is_language(path) && !is_fresh(path);
    };
    const Checkpoint vision = detail::open_part(Vision::config, parts.vision), qformer(resolve_model(parts.qformer)),
                     language = detail::open_part(Language::config, parts.language);

    Pipeline<Model> out;
    const std::vector<TensorSpec> specs = tensor_specs(out.model);
    const detail::PlannedCheckpoint plans[] = {
        {&vision, plan_load(specs, vision, Vision::names().below("vision."), {VitConfig::role, is_vision})},
        {&qformer, plan_load(specs, qformer, Model::names(), {QFormerConfig::role, is_qformer})},
        {&language, plan_load(specs, language, Language::names().below("language."),
                              {decltype(Language::config)::role, is_language})}};
    out.processor = detail::processor_of_parts(parts, qformer, &language, Vision::config.image);
    const std::vector<NamedLeaf> leaves = leaves_of(out.model);
    for (const detail::PlannedCheckpoint& plan : plans) detail::fill_for_stage2(leaves, plan, options);
    for (const NamedLeaf& parameter : leaves)
        if (is_fresh(parameter.path)) begin_fresh(parameter, seed, Fresh::torch, Query::width);
    return out;
}

/// Loads a whole BLIP-2 of Hugging Face to fine-tune it: what learns in stage 2 as f32, the rest as `options` say.
/// errors  those of load
template <class Model>
Pipeline<Model> stage2_from_checkpoint(const std::string& where, const LoadOptions& options = {}) {
    const ModelConfig config(resolve_model(where));
    require_config<Model>(config);
    const Checkpoint checkpoint(config.file.parent_path());
    Pipeline<Model> out;
    out.processor = load_processor(config);
    const std::vector<NamedLeaf> leaves = leaves_of(out.model);
    detail::fill_for_stage2(leaves, {&checkpoint, plan_load(tensor_specs(out.model), checkpoint, Model::names())},
                            options);
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
