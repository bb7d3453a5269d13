#include <cstdio>
#include <functional>
#include <iostream>
#include <optional>
#include <tessera/core/json.hpp>
#include <tessera/generate/compare_weights.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <tessera/image/decode_webp.hpp>

#include "models.hpp"
#include "pack.hpp"
#include "progress.hpp"
#include "weights.hpp"

namespace {

using namespace tessera;

// What the model with those weights makes of each picture; forced to the tokens of `exact`, if there are any.
template <class Model>
std::vector<ModelRun> runs(const ModelConfig& config, const AccuracyCommand& command, const std::string& weights,
                           const std::vector<Image>& images, const std::vector<ModelRun>& exact) {
    LoadOptions options{.weight_dtype = program::weights_named(weights)};
    const auto blip2 = [&] {
        program::ProgressBar bar("loading as " + weights);
        options.progress = std::ref(bar);
        return load<Model>(config, options);
    }();
    std::vector<ModelRun> out;
    for (std::size_t i = 0; i < images.size(); ++i)
        out.push_back(run_model(blip2, images[i], command.prompt, command.tokens,
                                exact.empty() ? std::span<const Token>() : exact[i].tokens));
    return out;
}

void print(const WeightComparison& comparison, const AccuracyCommand& command) {
    Json values = Json::array();
    for (const auto& value : comparison.differences())
        values.push_back({{"name", value.name}, {"rms", value.rms}, {"largest", value.largest}});
    if (command.json) {
        std::cout << Json{{"weights", command.weights},
                          {"exact", command.exact},
                          {"tokens", comparison.tokens()},
                          {"same_tokens", comparison.same_tokens()},
                          {"values", values}}
                         .dump()
                  << '\n';
        return;
    }
    std::cout << command.weights << " weights beside " << command.exact
              << ": errors over the root mean square of each value\n     rms  largest  value\n";
    for (const auto& value : comparison.differences()) {
        char line[40];
        std::snprintf(line, sizeof line, "%8.2g %8.2g  ", value.rms, value.largest);
        std::cout << line << value.name << '\n';
    }
    std::cout << comparison.same_tokens() << " of " << comparison.tokens() << " tokens are the same\n";
}

}  // namespace

int run(const AccuracyCommand& command) {
    const ModelConfig config(resolve_model(command.model));
    std::vector<Image> images;
    for (const std::string& picture : command.pictures)
        images.push_back(read_image(picture, {.decoders = {decode_exact, decode_webp}}));
    const bool done = any_model(program::models, [&]<class Model>(const Compiled<Model>&) {
        if constexpr (requires(Model model) { model.language; }) {
            if (!mismatches<Model>(config).empty()) return false;
            // One after the other: both need not fit into memory.
            const auto exact = runs<Model>(config, command, command.exact, images, {});
            const auto other = runs<Model>(config, command, command.weights, images, exact);
            WeightComparison comparison;
            for (std::size_t i = 0; i < images.size(); ++i) comparison.add(exact[i], other[i]);
            print(comparison, command);
            return true;
        } else {
            return false;
        }
    });
    if (!done)
        throw Error(Errc::config_unsupported, config.file.string(),
                    ": no compiled BLIP-2 with a language model has these shapes");
    return 0;
}
