// From a checkpoint folder to a model that is ready: weights, tokenizer, picture settings.
#pragma once
#include <optional>
#include <string>
#include <tessera/checkpoint/description.hpp>
#include <tessera/checkpoint/hub.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/image/read_preprocess.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/text/read/tokenizer.hpp>
#include <type_traits>

namespace tessera::inline TESSERA_ISA {

struct OpenOptions {
    std::optional<DType> weights =
        {};  // how they are kept; if not said: bf16 if all of them are stored so, or else f32
    std::function<void(Index done, Index total, std::string_view tensor)> progress = {};
    std::function<void(const std::string& warning)> warn = {};  // told of tensors that the model has no place for
};

namespace detail {

/// What keeps a part of shape `compiled` from reading such a checkpoint, as the end of a sentence; empty if nothing.
template <class Config>
std::string mismatch(const Description& d, const std::string& part, const Config& compiled,
                     const std::optional<Config>& found) {
    if (!found) return "expected a model with a " + part + ", found model_type " + in_quotes(d.model_type);
    const std::string what = difference(compiled, *found);
    return what.empty() ? what : "not the shapes this model is compiled for: " + part + ' ' + what;
}

template <VitConfig C>
std::string mismatch(std::type_identity<Vit<C>>, const Description& d) {
    return mismatch(d, "image encoder", C, d.vision);
}
template <OptConfig C>
std::string mismatch(std::type_identity<Opt<C>>, const Description& d) {
    return mismatch(d, "language model", C, d.text);
}
template <class Vision, class Query, class Decoder>
std::string mismatch(std::type_identity<Blip2<Vision, Query, Decoder>>, const Description& d) {
    std::string what = mismatch(d, "image encoder", Vision::config, d.vision);
    if (what.empty()) what = mismatch(d, "Q-Former", Query::config, d.qformer);
    return what.empty() ? mismatch(d, "language model", Decoder::config, d.text) : what;
}

inline void read_companions(auto&, const std::filesystem::path&, const Description&) {}
template <class Vision, class Query, class Decoder>
void read_companions(Blip2<Vision, Query, Decoder>& model, const std::filesystem::path& folder, const Description& d) {
    model.tokenizer = read_tokenizer(folder);
    model.preprocess = read_preprocess(folder / "preprocessor_config.json");
    const auto token = [&](const char* what, std::optional<Index> id, Token otherwise) {
        if (id && *id >= Decoder::vocabulary)
            throw Error(Errc::config_value, d.file.string(), ": ", what, ": expected an id below ", Decoder::vocabulary,
                        ", found ", *id);
        return id ? static_cast<Token>(*id) : otherwise;
    };
    model.tokens.image = token("image_token_index", d.image_token, model.tokens.image);
    model.tokens.begin = token("bos_token_id", d.generation.begin, model.tokens.begin);
    model.tokens.padding = token("pad_token_id", d.generation.padding, model.tokens.padding);
    if (!d.generation.end.empty()) model.tokens.end.clear();
    for (const Index id : d.generation.end) model.tokens.end.push_back(token("eos_token_id", id, 0));
}

inline DType stored_type(const Checkpoint& checkpoint) {
    for (const auto& entry : checkpoint.tensors())
        if (is_weight(entry.tensor->type) && entry.tensor->type != DType::bf16) return DType::f32;
    return DType::bf16;
}

}  // namespace detail

/// Whether a checkpoint's description has the shapes that `Model` is compiled for.
template <class Model>
bool fits(const Description& description) {
    return detail::mismatch(std::type_identity<Model>(), description).empty();
}

/// Loads the checkpoint folder that `description` was read from.
/// errors  Errc::file_open, config_…, checkpoint_…, tokenizer_format: one sentence that says what is wrong and where
/// cost    reads the weights once, tensor by tensor; memory for the weights as they are kept, and a few megabytes
template <class Model>
Model load(const Description& description, const OpenOptions& options = {}) {
    if (const std::string what = detail::mismatch(std::type_identity<Model>(), description); !what.empty())
        throw Error(Errc::config_unsupported, description.file.string(), ": ", what);
    const std::filesystem::path folder = description.file.parent_path();
    Model model;
    detail::read_companions(model, folder, description);
    const Checkpoint checkpoint(folder);
    const Report report = load_weights(
        model, checkpoint,
        {.weights = options.weights.value_or(detail::stored_type(checkpoint)), .progress = options.progress});
    if (options.warn && !report.unexpected.empty()) options.warn(checkpoint.place() + ": " + report.warning());
    return model;
}

/// Loads a checkpoint folder, or the snapshot of a hub name (`Salesforce/blip2-opt-2.7b`) in the local cache.
template <class Model>
Model load(const std::string& where, const OpenOptions& options = {}) {
    return load<Model>(read_description(resolve_model(where)), options);
}

}  // namespace tessera::inline TESSERA_ISA
