// From a checkpoint folder to a model that is ready: weights, tokenizer, picture settings.
#pragma once
#include <string>
#include <tessera/checkpoint/hub.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/packed.hpp>
#include <tessera/generate/generation_config.hpp>
#include <tessera/image/read_preprocess.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/config.hpp>
#include <tessera/text/read/tokenizer.hpp>

namespace tessera::inline TESSERA_ISA {

/// Whether the model that config.json describes has the shapes that `Model` is compiled for.
template <class Model>
bool fits(const ModelConfig& config) {
    return mismatches<Model>(config).empty();
}

/// Reads the processor files that lie beside the weights: tokenizer, preprocessor_config.json (or processor_config.json,
/// as transformers 5 writes it), and the special tokens of config.json.
/// errors  Errc::file_open, Errc::config_value, Errc::config_unsupported, Errc::tokenizer_format
inline Blip2Processor load_processor(const ModelConfig& config) {
    const std::filesystem::path folder = config.file.parent_path();
    Blip2Processor out;
    out.tokenizer = read_tokenizer(folder);
    out.preprocess = read_folder_preprocess(folder);
    const GenerationConfig generation = read_generation_config(config);
    const auto image =
        config.root().optional_whole({"image_token_index", "image_token_id"}, 0, ConfigReader::most_token);
    out.tokens = {.image = static_cast<Token>(image.value_or(out.tokens.image)),
                  .begin = static_cast<Token>(generation.begin),
                  .end = {generation.end.begin(), generation.end.end()},
                  .padding = static_cast<Token>(generation.padding)};
    return out;
}

/// Loads the weights of the checkpoint folder that `config` was read from; packed ones are mapped.
/// errors  Errc::file_open, config_…, checkpoint_…: one sentence that says what is wrong and where
/// cost    reads the weights once, tensor by tensor; memory for the weights as they are kept, and a few megabytes
template <class Model>
Model load_model(const ModelConfig& config, const LoadOptions& options = {}) {
    require_config<Model>(config);
    Model model;
    const std::filesystem::path folder = config.file.parent_path();
    if (is_packed(folder))
        load_packed(model, folder, options);
    else
        detail::fill_from(model, Checkpoint(folder), options);
    return model;
}

/// Loads a model, and its processor if it has one: then both in a Pipeline.
/// errors  those of load_model and load_processor, before any weight is read if possible
template <class Model>
auto load(const ModelConfig& config, const LoadOptions& options = {}) {
    if constexpr (requires { typename Model::Processor; }) {
        auto processor = load_processor(config);
        return Pipeline<Model>{load_model<Model>(config, options), std::move(processor)};
    } else {
        return load_model<Model>(config, options);
    }
}
/// The same for a checkpoint folder, or the snapshot of a hub name (`Salesforce/blip2-opt-2.7b`) in the local cache; for a part of
/// a model also a file of weights by itself: `load<Vit<eva>>("eva_vit_g.pth")`.
template <class Model>
auto load(const std::string& where, const LoadOptions& options = {}) {
    const std::filesystem::path path = resolve_model(where);
    if constexpr (!requires { typename Model::Processor; }) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(path, ignored)) {
            Model model;
            load_weights(model, Checkpoint(path), options);
            return model;
        }
    }
    return load<Model>(ModelConfig(path), options);
}

}  // namespace tessera::inline TESSERA_ISA
