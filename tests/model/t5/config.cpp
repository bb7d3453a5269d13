// What config.json says of a T5, and which of a file's tensors fill it.
#include <doctest/doctest.h>

#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/checkpoint/save.hpp>
#include <tessera/generate/generation_config.hpp>
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/config.hpp>

#include "support/golden.hpp"
#include "support/golden_models.hpp"

namespace model_t5_config {
using namespace tessera;

namespace {

std::optional<T5Config> described(const std::string& config) {
    const test::TemporaryFolder folder;
    folder.write("config.json", config);
    return T5Config::read(ModelConfig(folder.path()));
}
std::optional<T5Config> t5(const std::string& settings) { return described(R"({"model_type": "t5")" + settings + '}'); }
std::string refusal(const std::string& settings) {
    try {
        t5(settings);
    } catch (const Error& error) {
        const std::string message = error.what();
        return message.substr(0, message.find(' ') + 1) + message.substr(message.find("config.json: ") + 13);
    }
    return "not refused";
}

using Model = T5<test::golden_t5>;

// The golden checkpoint, with the tensors that `rename` gives a name.
LoadReport load_renamed(auto& model, const auto& rename) {
    const Checkpoint golden(test::golden("t5"));
    const test::TemporaryFolder folder;
    SafetensorsWriter writer;
    for (const Checkpoint::Entry& entry : golden.tensors())
        if (const std::string name = rename(std::string(entry.name())); !name.empty())
            writer.add(name, entry.tensor->shape, entry.tensor->to_floats().data());
    writer.write(folder.path() / "model.safetensors");
    return load_weights(model, Checkpoint(folder.path()));
}

}  // namespace

TEST_CASE("the golden configurations, as transformers 4 and 5 write them") {
    CHECK(T5Config::read(ModelConfig(test::golden("t5"))) == test::golden_t5);
    CHECK(T5Config::read(ModelConfig(test::golden("blip2_t5"))) == tiny_t5);
    std::ifstream version_5(test::golden("t5") / "config.v5.json");
    CHECK(described({std::istreambuf_iterator<char>(version_5), {}}) == test::golden_t5);
    for (const char* name : {"t5", "blip2_t5"}) {
        const GenerationConfig generation = read_generation_config(ModelConfig(test::golden(name)));
        CHECK(generation.begin == 1);
        CHECK(generation.padding == 0);
        CHECK(generation.end == std::vector<Index>{1});
    }
    CHECK(mismatch<Blip2TinyT5>(ModelConfig(test::golden("blip2_t5"))).empty());
    CHECK_FALSE(T5Config::read(ModelConfig(test::golden("blip2_opt"))));
    CHECK_FALSE(OptConfig::read(ModelConfig(test::golden("blip2_t5"))));
}

TEST_CASE("a configuration that says almost nothing is T5Config of transformers: the first t5-small") {
    constexpr T5Config small{.width = 512,
                             .heads = 8,
                             .hidden = 2048,
                             .encoder_layers = 6,
                             .decoder_layers = 6,
                             .gated = false,
                             .tied_head = true,
                             .activation = Activation::relu};
    CHECK(t5("") == small);
    CHECK(described(R"({"model_type": "blip-2", "text_config": {"model_type": "t5"}})") == small);
    CHECK_FALSE(described(R"({"model_type": "blip-2", "architectures": ["Blip2ForImageTextRetrieval"],
        "text_config": {"model_type": "t5"}})"));
    CHECK(t5(R"(, "num_layers": 4)")->decoder_layers == 4);
    CHECK(t5(R"(, "num_layers": 4, "num_decoder_layers": null)")->decoder_layers == 4);
    CHECK(t5(R"(, "num_layers": 4, "num_decoder_layers": 2)")->decoder_layers == 2);
}

TEST_CASE("the stock shapes, from the settings of the published files") {
    const std::string flan = R"(, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false)";
    const std::string xl =
        flan + R"(, "d_model": 2048, "d_ff": 5120, "num_heads": 32, "num_layers": 24, "num_decoder_layers": 24)";
    CHECK(t5(xl) == flan_t5_xl);
    CHECK(t5(flan + R"(, "d_ff": 1024, "num_heads": 6, "num_layers": 8, "num_decoder_layers": 8)") == flan_t5_small);
    CHECK(described(R"({"model_type": "blip-2", "text_config": {"model_type": "t5", "dense_act_fn": "gelu")" + xl +
                    "}}") == blip2_flan_t5_xl);
    // Numbers of weights of google/flan-t5-*, and of the language model of Salesforce/blip2-flan-t5-xl.
    CHECK(parameter_count(T5<flan_t5_small>()) == 76961152);
    CHECK(parameter_count(T5<flan_t5_base>()) == 247577856);
    CHECK(parameter_count(T5<flan_t5_large>()) == 783150080);
    CHECK(parameter_count(T5<blip2_flan_t5_xl>()) == 2849757184);
    CHECK(parameter_count(T5<blip2_flan_t5_xxl>()) == 11135332352);
}

TEST_CASE("the activation and whether scores are scaled can be said in several ways") {
    CHECK(t5(R"(, "feed_forward_proj": "gated-gelu")")->activation == Activation::gelu_tanh);
    CHECK(t5(R"(, "feed_forward_proj": "gated-relu")")->activation == Activation::relu);
    CHECK(t5(R"(, "feed_forward_proj": "gated-relu")")->gated);
    CHECK(t5(R"(, "feed_forward_proj": "gelu")")->activation == Activation::gelu);
    CHECK(t5(R"(, "feed_forward_proj": "gated-gelu", "dense_act_fn": "gelu")")->activation == Activation::gelu);
    CHECK_FALSE(t5(R"(, "tie_word_embeddings": false)")->tied_head);
    CHECK_FALSE(t5(R"(, "tie_word_embeddings": true, "scale_decoder_outputs": false)")->tied_head);
    CHECK(t5(R"(, "tie_word_embeddings": true)")->tied_head);
    CHECK(t5(R"(, "scale_decoder_outputs": true)")->tied_head);
}

TEST_CASE("settings that no T5 here can have are one sentence each") {
    CHECK(refusal(R"(, "d_kv": 0)") == "[config.value] d_kv: expected a whole number from 1 to 131072, found 0");
    CHECK(refusal(R"(, "num_layers": -1)") ==
          "[config.value] num_layers: expected a whole number from 0 to 1024, found -1");
    CHECK(refusal(R"(, "relative_attention_num_buckets": 31)") ==
          "[config.unsupported] relative_attention_num_buckets: expected an even number, found 31");
    CHECK(refusal(R"(, "relative_attention_max_distance": 16)") ==
          "[config.value] relative_attention_max_distance: expected a whole number from 17 to 1048576, found 16");
    CHECK(refusal(R"(, "feed_forward_proj": "gated-silu")") ==
          "[config.value] dense_act_fn: expected relu, gelu, gelu_new, gelu_pytorch_tanh or quick_gelu, found 'silu'");
    CHECK(refusal(R"(, "decoder_start_token_id": 2)") ==
          "[config.unsupported] decoder_start_token_id: expected 0, found 2");
}

TEST_CASE("repeated tables are copies, and a tensor that nothing uses is no surprise") {
    Model model;
    const LoadReport report = load_weights(model, Checkpoint(test::golden("t5")));
    CHECK(report.copies == std::vector<std::string>{"encoder.embed_tokens.weight"});
    CHECK(report.ignored ==
          std::vector<std::string>{"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"});
    CHECK(report.unexpected.empty());
}

TEST_CASE("where the output layer is not stored it is the table of words, not scaled") {
    Model model;
    const auto report =
        load_renamed(model, [](const std::string& name) { return name == "lm_head.weight" ? "" : name; });
    CHECK(report.unexpected.empty());
    std::vector<float> word(64), head(64);
    for (const Index row : {0, 100, 639}) {
        model.embedding.weight.read(row, word.data());
        model.head.weight.read(row, head.data());
        CHECK(word == head);
    }
}

TEST_CASE("an output layer of its own is refused where the configuration ties it") {
    constexpr T5Config c = [] {
        T5Config tied = test::golden_t5;
        tied.tied_head = true;
        return tied;
    }();
    T5<c> model;
    CHECK_THROWS_WITH_AS(
        load_weights(model, Checkpoint(test::golden("t5/model.safetensors"))),
        "[checkpoint.unexpected] 'lm_head.weight': expected the numbers of 'shared.weight', which the model has in "
        "its place, found others (model.safetensors)",
        Error);
    const auto report = load_renamed(model, [](const std::string& name) {
        return name == "lm_head.weight" ? "" : name == "encoder.embed_tokens.weight" ? "lm_head.weight" : name;
    });
    CHECK(report.copies == std::vector<std::string>{"lm_head.weight"});
    CHECK(T5<c>::names().stored_name("embedding.weight", [](std::size_t) { return false; })->name == "shared.weight");
}

TEST_CASE("LAVIS's names, those of BLIP-2, and those of the first T5") {
    const auto path = [](const NameMap& names, std::string_view name) {
        const auto found = names.places(name);
        return found.size() == 1 ? found.front().path : std::to_string(found.size()) + " places";
    };
    CHECK(path(Model::names(), "t5_model.decoder.block.1.layer.1.EncDecAttention.o.weight") ==
          "decoder.layers.1.cross.output.weight");
    CHECK(path(Model::names(), "encoder.block.0.layer.1.DenseReluDense.wi.weight") == "encoder.layers.0.mlp.up.weight");
    CHECK(path(Blip2TinyT5::names(), "language_model.decoder.final_layer_norm.weight") ==
          "language.decoder.norm.weight");
    CHECK(path(Blip2TinyT5::names(), "language_model.lm_head.weight") == "language.head.weight");
    CHECK(path(Blip2TinyT5::names(), "t5_proj.bias") == "projection.bias");
    CHECK(Model::names().ignores("vision_model.post_layernorm.weight"));
    for (const TensorSpec& spec : tensor_specs(Blip2TinyT5()))
        CHECK(Blip2TinyT5::names().stored_name(spec.path, [](std::size_t) { return false; }));
}

}  // namespace model_t5_config
