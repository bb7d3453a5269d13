// Loading what a command names: the checkpoint, or the parts that a model is put together from.
#pragma once
#include <algorithm>
#include <iostream>
#include <tessera/checkpoint/hub.hpp>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/core/scratch.hpp>
#include <tessera/generate/load_parts.hpp>
#include <tessera/kernel/parallel.hpp>

#include "choose.hpp"
#include "commands.hpp"
#include "progress.hpp"
#include "weights.hpp"

namespace program {

/// Calls f(choice) with the config of the checkpoint.
void with_config(const ModelOptions& options, auto&& f) {
    if (options.threads > 0) tessera::kernel::set_threads(options.threads);
    if (options.products == "bf16" && !options.weights.empty() && options.weights != "bf16")
        throw tessera::Error(tessera::Errc::option_value,
                             "--products bf16: expected weights kept as bf16, found --weights ", options.weights);
    const bool parts =
        !options.parts.vision.empty() || !options.parts.qformer.empty() || !options.parts.language.empty();
    if (parts == !options.folder.empty())
        throw tessera::Error(tessera::Errc::option_value,
                             "expected either --model, or --vision, --qformer and --language, found ",
                             parts ? "both" : "neither");
    if (parts) {
        Choice choice(options.shape);
        f(choice);
    } else {
        const tessera::ModelConfig config(tessera::resolve_model(options.folder));
        if (config.model_type == "blip2_qformer_stage1" && !tessera::VitConfig::read(config))
            throw tessera::Error(
                tessera::Errc::config_unsupported, config.file.string(),
                ": a checkpoint of the first stage without its image encoder: expected that as --vision, and "
                "this folder as --qformer and --tokenizer, with a --shape, as lavis-stage1-vit-g");
        Choice choice(config);
        f(choice);
    }
}

/// Calls f(load options), with a bar on a terminal meanwhile.
auto loading(const ModelOptions& options, auto&& f) {
    using namespace tessera;
    ProgressBar bar;
    LoadOptions how{.progress = std::ref(bar), .warn = [&](const std::string& warning) {
                        bar.hide(), std::cerr << "tessera: " << warning << '\n';
                    }};
    if (!options.weights.empty()) how.weight_dtype = weights_named(options.weights);
    return f(how);
}
/// The model and its processor.
template <class Model>
auto load_model(const Choice& choice, const ModelOptions& options) {
    return loading(options, [&](const tessera::LoadOptions& how) {
        return choice.has_config() ? tessera::load<Model>(choice.config(), how)
                                   : tessera::load_parts<Model>(options.parts, how);
    });
}
/// Sets the arithmetic that the options say; with weights of several types it is that of those kept as bf16.
/// errors  Errc::option_value for bf16 where no weight is kept as that
template <class Model>
void set_products(tessera::Scratch& s, const Model& model, const ModelOptions& options) {
    if (options.products != "bf16") return;
    const auto leaves = tessera::leaves_of(model);
    if (std::none_of(leaves.begin(), leaves.end(),
                     [](const auto& named) { return named.leaf.matrix_dtype() == tessera::DType::bf16; }))
        throw tessera::Error(
            tessera::Errc::option_value,
            "--products bf16: expected weights kept as bf16, found none: add --weights bf16, or pack them so");
    s.set_products(tessera::Products::bf16);
}
template <class Model>
Model load_weights_only(const Choice& choice, const ModelOptions& options) {
    return loading(options,
                   [&](const tessera::LoadOptions& how) { return tessera::load_model<Model>(choice.config(), how); });
}

}  // namespace program
