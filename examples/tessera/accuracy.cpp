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

// What two models make of each picture.
struct Runs {
    std::vector<Image> images;
    std::vector<ModelRun> exact, other;
    int failures = 0;  // pictures of which nothing is known
};

template <class Model>
Runs compare(const program::Choice& choice, const AccuracyCommand& command) {
    Runs out;
    const std::vector<std::string> names = picture_names(command.pictures);
    program::expect_single_opens(names);
    {  // One model after the other: both need not fit into memory.
        const auto blip2 = program::load_model<Model>(choice, {.weights = command.exact});
        out.failures = for_each_picture(names, command.pictures, true, [&](const std::string&, const Image& image) {
            out.exact.push_back(run_model(blip2, image, command.prompt, command.tokens));
            out.images.push_back(image);
            return true;
        });
    }
    if (out.images.empty()) return out;
    const auto blip2 = program::load_model<Model>(choice, {.weights = command.weights});
    for (std::size_t i = 0; i < out.images.size(); ++i)
        out.other.push_back(run_model(blip2, out.images[i], command.prompt, command.tokens, out.exact[i].tokens));
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
    program::Choice choice(config);
    Runs runs;
    const bool done = choice.use(std::tuple_cat(program::opt_models, program::t5_models),
                                 [&]<class Model>(const Compiled<Model>&) { runs = compare<Model>(choice, command); });
    if (!done) choice.refuse_captions("accuracy needs", false);
    WeightComparison comparison;
    for (std::size_t i = 0; i < runs.other.size(); ++i) comparison.add(runs.exact[i], runs.other[i]);
    if (!runs.other.empty()) print(comparison, command);
    return runs.failures == 0 ? 0 : 1;
}
