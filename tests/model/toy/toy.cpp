// A new model is a folder and a line in a list: then it is loaded from other people's files, and shown, like any other.
#include "model/toy/toy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <support/golden.hpp>
#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/save.hpp>
#include <tessera/generate/load.hpp>

namespace model_toy {
using namespace tessera;

namespace {

// The list of a program, with the toy's line.
constexpr std::tuple models{
    Compiled<Blip2Tiny>{"tiny"},
    Compiled<SmallToy>{"small toy"},
};

// What a program would print of a checkpoint.
std::string described(const std::filesystem::path& folder) {
    const ModelConfig config(folder);
    std::string out;
    for_each_part(models, config, [&](const auto& part) { out += as_code(part) + '\n'; });
    if (!any_model(models, [&]<class Model>(const Compiled<Model>& compiled) {
            if (!fits<Model>(config)) return false;
            out += compiled.name;
            return true;
        }))
        out += "not compiled";
    return out;
}

void write_toy(const test::TemporaryFolder& folder, const std::string& config) {
    folder.write("config.json", config);
    SafetensorsWriter writer;
    const auto add = [&](const std::string& name, std::vector<Index> shape, float value) {
        std::vector<float> numbers(static_cast<std::size_t>(shape[0] * (shape.size() == 2 ? shape[1] : 1)), value);
        writer.add(name, shape, numbers.data());
    };
    for (const std::string layer : {"transformer.h.0.", "transformer.h.1."}) {
        add(layer + "fc_in.weight", {6, 4}, 0.5f);
        add(layer + "fc_in.bias", {6}, 1.0f);
        add(layer + "fc_out.weight", {4, 6}, 0.25f);
        add(layer + "fc_out.bias", {4}, -1.0f);
    }
    add("transformer.ln_f.weight", {4}, 2.0f);
    add("transformer.ln_f.bias", {4}, 3.0f);
    add("lm_head.weight", {9, 4}, 0.0f);
    writer.write(folder.path() / "model.safetensors");
}

}  // namespace

TEST_CASE("a toy is loaded under other people's names, and computes") {
    const test::TemporaryFolder folder;
    write_toy(folder, R"({"model_type": "toy", "hidden_size": 4, "intermediate_size": 6})");
    bool warned = false;
    const SmallToy toy = load<SmallToy>(folder.path().string(), {.warn = [&](const std::string&) { warned = true; }});
    CHECK_FALSE(warned);
    CHECK(parameter_count(toy) == 2 * (24 + 6 + 24 + 4) + 8);

    // Each layer adds the same to all four numbers, so the norm sees only how they differ.
    const Tensor<float, dyn, 4> x({1, 4}, {1, -1, 1, -1});
    Scratch s;
    const auto y = toy(x, s);
    for (Index i = 0; i < 4; ++i) CHECK(y(0, i) == doctest::Approx(i % 2 == 0 ? 5 : 1).epsilon(1e-4));
}

TEST_CASE("a toy is shown: the line of C++ for its shapes, and the name of the compiled one") {
    const test::TemporaryFolder folder, other;
    write_toy(folder, R"({"model_type": "toy", "hidden_size": 4, "intermediate_size": 6})");
    CHECK(described(folder.path()) == "ToyConfig{.width = 4, .hidden = 6, .layers = 2}\nsmall toy");
    write_toy(other, R"({"model_type": "toy", "hidden_size": 4, "intermediate_size": 7, "hidden_act": "relu"})");
    CHECK(described(other.path()) ==
          "ToyConfig{.width = 4, .hidden = 7, .layers = 2, .activation = Activation::relu}\nnot compiled");
    CHECK_THROWS_WITH_AS(load<SmallToy>(other.path().string()),
                         ("[config.unsupported] " + (other.path() / "config.json").string() +
                          ": not the shapes this model is compiled for: toy hidden: expected 6, found 7; toy "
                          "activation: expected gelu, found relu")
                             .c_str(),
                         Error);
    CHECK(described(test::golden("blip2_opt")).ends_with("\ntiny"));
}

}  // namespace model_toy
