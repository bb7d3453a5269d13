// A BLIP-2 put together as it was made: an image encoder, a Q-Former that was trained on it, a language model.
#pragma once
#include <tessera/generate/load.hpp>
#include <tessera/generate/options.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

// What is as it should be in a part, though it differs from the whole model.

/// A published encoder has layers that BLIP-2 does not use; the norm after the last one comes with the Q-Former.
inline VitConfig as_part(VitConfig found, const VitConfig& model) {
    found.layers = found.layers > model.layers ? model.layers : found.layers;
    found.output_norm = model.output_norm;
    found.output_eps = model.output_eps;
    return found;
}
/// A model without a text path leaves it in the file.
inline QFormerConfig as_part(QFormerConfig found, const QFormerConfig& model) {
    if (!model.has_text())
        found.vocabulary = model.vocabulary, found.positions = model.positions, found.embedding = model.embedding;
    return found;
}
/// FlanT5's own config.json says the approximate GELU; BLIP-2 runs it with the exact one.
inline T5Config as_part(T5Config found, const T5Config& model) {
    found.activation = model.activation;
    return found;
}
auto as_part(auto found, const auto&) { return found; }

/// A part's checkpoint; where it is a folder with a config.json, that must describe the part.
template <class Config>
Checkpoint open_part(const Config& model, const std::string& where) {
    const std::string role = Config::role;
    if (where.empty())
        throw Error(Errc::option_value, role, ": expected a folder or a file of weights for it, found none");
    Checkpoint checkpoint(resolve_model(where));
    if (checkpoint.config_folder().empty()) return checkpoint;
    const ModelConfig config(checkpoint.config_folder());
    const std::optional<Config> found = Config::read(config);
    std::string what;
    if (!found)
        what = "expected a model with one, found model_type " + in_quotes(config.model_type);
    else
        for (const std::string& difference : differences(model, as_part(*found, model)))
            what += (what.empty() ? "" : "; ") + difference;
    if (!what.empty())
        throw Error(Errc::config_unsupported, role, ": ", config.file.string(),
                    ": not the shapes this model is compiled for: ", what);
    return checkpoint;
}

/// The folder of config.json and tokenizer files, of `language` where there is one.
inline std::filesystem::path tokenizer_folder(const PartPaths& parts, const Checkpoint* language) {
    if (!parts.tokenizer.empty()) return resolve_model(parts.tokenizer);
    if (language != nullptr) return language->folder();
    throw Error(Errc::option_value, "tokenizer: expected a folder with the tokenizer of the Q-Former, found none");
}

/// A processor for parts that know nothing of each other: BLIP-2's pictures of that size, and its end of a text.
inline Blip2Processor processor_of_parts(const PartPaths& parts, const Checkpoint& qformer, const Checkpoint* language,
                                         Index image) {
    Blip2Processor out;
    out.tokenizer = read_tokenizer(tokenizer_folder(parts, language));
    if (language != nullptr) {
        const ModelConfig config(language->folder());
        const GenerationConfig generation = read_generation_config(config);
        out.tokens = {.image = out.tokenizer->find("<image>").value_or(static_cast<Token>(generation.padding)),
                      .begin = static_cast<Token>(generation.begin),
                      .end = {generation.end.begin(), generation.end.end()},
                      .padding = static_cast<Token>(generation.padding)};
        const auto newline = out.tokenizer->encode("\n", Specials::omit);
        if (config.model_type == "opt" && !newline.empty()) out.tokens.end = {newline.back()};
    }
    out.preprocess.height = out.preprocess.width = image;
    std::error_code ignored;
    if (!qformer.config_folder().empty() &&
        std::filesystem::exists(qformer.config_folder() / "preprocessor_config.json", ignored))
        out.preprocess = read_folder_preprocess(qformer.config_folder());
    return out;
}

}  // namespace detail

/// Loads a BLIP-2 that writes, or one for retrieval, from parts, and its processor, both in a Pipeline. The Q-Former's file
/// also gives what was trained with it: the queries, the norm after the image encoder, the projection to the language
/// model. A picture of another size than the encoder was made for is read with positions that are interpolated (set
/// `processor.preprocess`).
/// ```cpp
/// using Model = Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<opt_2_7b>>;
/// const auto blip2 = load_parts<Model>({.vision = "eva_vit_g.pth",
///                                       .qformer = "blip2_pretrained_opt2.7b.pth",
///                                       .language = "facebook/opt-2.7b"});
/// ```
/// errors  those of load; a sentence about a config or a tensor names the part first: `image encoder: …`
/// source  LAVIS: what its checkpoints leave out is what it downloads from elsewhere
template <class Model>
Pipeline<Model> load_parts(const PartPaths& parts, const LoadOptions& options = {}) {
    using Vision = decltype(Model::vision);
    using Query = decltype(Model::qformer);
    constexpr bool has_language = requires(Model & model) { model.language; };
    const auto is_vision = [](std::string_view path) {
        return path.starts_with("vision.") && !path.starts_with("vision.norm.");
    };
    const auto is_language = [](std::string_view path) { return path.starts_with("language."); };
    const auto is_qformer = [=](std::string_view path) { return !is_vision(path) && !is_language(path); };

    const Checkpoint vision = detail::open_part(Vision::config, parts.vision),
                     qformer = detail::open_part(Query::config, parts.qformer);
    std::optional<Checkpoint> language;
    if constexpr (has_language)
        language = detail::open_part(decltype(Model::language)::config, parts.language);
    else if (!parts.language.empty())
        throw Error(Errc::option_value, "language model: expected no path, since this model has none, found ",
                    in_quotes(parts.language));

    Pipeline<Model> out;
    const std::vector<TensorSpec> specs = tensor_specs(out.model);
    std::vector<detail::PlannedCheckpoint> plans;
    const auto plan = [&](const Checkpoint& from, const NameMap& names, const char* role, auto is_part) {
        plans.push_back({&from, plan_load(specs, from, names, {role, is_part})});
    };
    plan(vision, Vision::names().below("vision."), decltype(Vision::config)::role, is_vision);
    plan(qformer, Model::names(), decltype(Query::config)::role, is_qformer);
    if constexpr (has_language) {
        using Language = decltype(Model::language);
        plan(*language, Language::names().below("language."), decltype(Language::config)::role, is_language);
    }
    out.processor = detail::processor_of_parts(parts, qformer, language ? &*language : nullptr, Vision::config.image);
    detail::fill(leaves_of(out.model), plans, options);
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
