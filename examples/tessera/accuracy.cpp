#include <cstdio>
#include <iostream>
#include <tessera/generate/compare_weights.hpp>

#include "json_line.hpp"
#include "load.hpp"
#include "models.hpp"
#include "pack.hpp"
#include "pictures.hpp"

namespace {

using namespace tessera;

// What the model with those weights makes of each picture; forced to the tokens of `exact`, if there are any.
template <class Model>
std::vector<ModelRun> runs(const program::Choice& choice, const AccuracyCommand& command, const std::string& weights,
                           const std::vector<Image>& images, const std::vector<ModelRun>& exact) {
    const auto blip2 = program::load_model<Model>(choice, {.weights = weights});
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
        program::print(Json{{"weights", command.weights},
                            {"exact", command.exact},
                            {"tokens", comparison.tokens()},
                            {"same_tokens", comparison.same_tokens()},
                            {"values", values}});
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
    for (const std::string& picture : command.pictures) images.push_back(program::read_picture(picture, {}));
    program::Choice choice(config);
    const bool done =
        choice.use(std::tuple_cat(program::opt_models, program::t5_models), [&]<class Model>(const Compiled<Model>&) {
            // One after the other: both need not fit into memory.
            const auto exact = runs<Model>(choice, command, command.exact, images, {});
            const auto other = runs<Model>(choice, command, command.weights, images, exact);
            WeightComparison comparison;
            for (std::size_t i = 0; i < images.size(); ++i) comparison.add(exact[i], other[i]);
            print(comparison, command);
        });
    if (!done) choice.refuse();
    return 0;
}
