#include <doctest/doctest.h>

#include <support/golden_models.hpp>
#include <support/temporary_folder.hpp>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/generate/generation_config.hpp>
#include <tessera/model/blip2/blip2.hpp>

#include "support/rounded_golden.hpp"

namespace checkpoint_model_config {
using namespace tessera;

namespace {

/// What each reader makes of a config.json.
struct Described {
    ModelConfig config;
    std::optional<VitConfig> vision = VitConfig::read(config);
    std::optional<QFormerConfig> qformer = QFormerConfig::read(config);
    std::optional<OptConfig> text = OptConfig::read(config);
    GenerationConfig generation = read_generation_config(config);
};

Described described(const std::string& config, const std::string& generation = {}) {
    const test::TemporaryFolder folder;
    folder.write("config.json", config);
    if (!generation.empty()) folder.write("generation_config.json", generation);
    return {ModelConfig(folder.path())};
}

/// The message after `config.json: `.
std::string refusal(const std::string& config) {
    try {
        described(config);
    } catch (const Error& error) {
        const std::string message = error.what();
        const auto file = message.find("/config.json: ");
        return file == message.npos ? message : message.substr(0, message.find(' ') + 1) + message.substr(file + 14);
    }
    return "not refused";
}

}  // namespace

TEST_CASE("the golden configurations, which leave out what is at its default") {
    const Described blip2{ModelConfig(test::golden("blip2_opt"))};
    CHECK(blip2.config.model_type == "blip-2");
    CHECK(blip2.config.dtype == "float32");
    CHECK(blip2.vision == tiny_vit);
    CHECK(blip2.qformer == tiny_qformer);
    CHECK(blip2.text == tiny_opt);
    CHECK(blip2.generation.begin == 2);
    CHECK(blip2.generation.end == std::vector<Index>{202});  // the language model's own, not generation_config.json's
    CHECK(blip2.generation.padding == 1);
    CHECK_FALSE(blip2.generation.max_length);
    CHECK(ModelConfig(test::golden_checkpoint("blip2_opt_bf16")).dtype == "bfloat16");
    CHECK(Described{ModelConfig(test::golden("opt"))}.text == tiny_opt);
    CHECK(Described{ModelConfig(test::golden("opt_350m_style"))}.text == test::golden_opt_350m);
    CHECK(Described{ModelConfig(test::golden("clip_vision"))}.vision == test::golden_clip);
}

TEST_CASE("a configuration that says almost nothing is the stock model") {
    const Described d = described(R"({"model_type": "blip-2"})");
    CHECK(d.vision == eva_vit_g14);
    CHECK(d.qformer == qformer_vit_g);
    OptConfig small = opt_125m;  // OPTConfig's defaults
    CHECK(d.text == small);
    CHECK(d.generation.end == std::vector<Index>{2});

    const Described large = described(R"({"model_type": "blip-2", "image_token_index": 50265,
        "vision_config": {"model_type": "blip_2_vision_model", "image_size": 364},
        "qformer_config": {"classifier_dropout": null, "model_type": "blip_2_qformer"},
        "text_config": {"model_type": "opt", "hidden_size": 2560, "ffn_dim": 10240, "num_attention_heads": 32,
            "num_hidden_layers": 32, "vocab_size": 50304, "word_embed_proj_dim": 2560, "eos_token_id": 50118}})");
    CHECK(large.vision == eva_vit_g14_364);
    CHECK(large.qformer == qformer_vit_g);
    CHECK(large.text == blip2_opt_2_7b_decoder);
    CHECK(large.generation.end == std::vector<Index>{50118});
    CHECK(described(R"({"model_type": "clip_vision_model", "hidden_size": 1024, "intermediate_size": 4096,
        "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14})")
              .vision == clip_vit_l14);
    CHECK(described(R"({"model_type": "clip", "vision_config_dict": {"hidden_size": 1024, "intermediate_size": 4096,
        "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14}, "vision_config": {"patch_size": 32}})")
              .vision == clip_vit_l14);
    CHECK(described(R"({"model_type": "blip_2_vision_model"})").vision == eva_vit_g14);
    CHECK(described(R"({"model_type": "opt", "do_layer_norm_before": false, "hidden_size": 1024, "ffn_dim": 4096,
        "num_attention_heads": 16, "num_hidden_layers": 24, "word_embed_proj_dim": 512})")
              .text == opt_350m);
}

TEST_CASE("keys that have had other names") {
    CHECK(described(R"({"model_type": "blip-2", "dtype": "bfloat16"})").config.dtype == "bfloat16");
    for (const char* key : {"use_qformer_text_input", "qformer_text_input"}) {
        const Described d = described(R"({"model_type": "blip-2", "qformer_config": {")" + std::string(key) +
                                      R"(": true, "vocab_size": 30523}})");
        CHECK(d.qformer->vocabulary == 30523);
        CHECK(d.qformer->positions == 512);
    }
    CHECK(described(R"({"model_type": "blip-2", "vision_config": {"hidden_size": 64, "num_attention_heads": 4},
        "qformer_config": {"encoder_hidden_size": 1408}})")
              .qformer->context == 64);  // as wide as the image encoder, whatever it says
    CHECK(described(R"({"model_type": "blip-2", "vision_config": {"image_size": [364, 364]}})").vision->image == 364);
    CHECK(described(R"({"model_type": "opt", "word_embed_proj_dim": null})").text->embedding == 768);
    CHECK(described(R"({"model_type": "opt", "eos_token_id": [2, 5]})").generation.end == std::vector<Index>{2, 5});
    CHECK(described(R"({"model_type": "opt", "activation_function": "gelu_new"})").text->activation ==
          Activation::gelu_tanh);
}

TEST_CASE("BLIP-2 for retrieval has a text path in its Q-Former, and no language model") {
    const Described d = described(R"({"model_type": "blip-2", "architectures": ["Blip2ForImageTextRetrieval"],
        "text_config": {"model_type": "opt"}, "qformer_config": {"vocab_size": 30523, "use_qformer_text_input": true}})");
    CHECK_FALSE(d.text);
    CHECK(d.qformer->vocabulary == 30523);
    constexpr QFormerConfig with_text{.vocabulary = 30523};
    REQUIRE(d.qformer == with_text);
    const Index numbers = parameter_count(Vit<eva_vit_g14>()) + parameter_count(QFormer<with_text>());
    CHECK(numbers == 1172032258 - 2 * (256 * 768 + 256) - (2 * 768 + 2));  // without its heads
}

TEST_CASE("settings of generation: from the language model's config in BLIP-2, from their own file in OPT") {
    const Described blip2 = described(
        R"({"model_type": "blip-2", "text_config": {"max_length": 20, "repetition_penalty": 1.5, "min_length": 3}})",
        R"({"eos_token_id": 9, "max_length": 99})");
    CHECK(blip2.generation.max_length == 20);
    CHECK(blip2.generation.min_length == 3);
    CHECK(blip2.generation.repetition_penalty == 1.5f);
    CHECK(blip2.generation.end == std::vector<Index>{2});
    const Described opt =
        described(R"({"model_type": "opt", "eos_token_id": 5, "bos_token_id": 6})",
                  R"({"eos_token_id": 9, "max_new_tokens": 99, "length_penalty": -1, "num_beams": 4})");
    CHECK(opt.generation.end == std::vector<Index>{9});
    CHECK(opt.generation.begin == 6);
    CHECK(opt.generation.padding == 1);
    CHECK(opt.generation.max_new_tokens == 99);
    CHECK(opt.generation.length_penalty == -1.0f);
    CHECK(opt.generation.beams == 4);
}

TEST_CASE("what is wrong is said in one sentence") {
    CHECK(refusal("{}") == "[config.value] model_type: expected text, found nothing");
    CHECK(refusal(R"({"model_type": 5})") == "[config.value] model_type: expected text, found 5");
    CHECK(refusal(R"({"model_type": "opt", "hidden_size": "8"})") ==
          "[config.value] hidden_size: expected a whole number from 1 to 131072, found \"8\"");
    CHECK(refusal(R"({"model_type": "opt", "num_hidden_layers": -1})") ==
          "[config.value] num_hidden_layers: expected a whole number from 0 to 1024, found -1");
    CHECK(refusal(R"({"model_type": "opt", "hidden_size": 18446744073709551615})") ==
          "[config.value] hidden_size: expected a whole number from 1 to 131072, found 18446744073709551615");
    CHECK(refusal(R"({"model_type": "opt", "num_attention_heads": 5})") ==
          "[config.value] num_attention_heads: expected a divisor of hidden_size 768, found 5");
    CHECK(refusal(R"({"model_type": "opt", "do_layer_norm_before": 1})") ==
          "[config.value] do_layer_norm_before: expected true or false, found 1");
    CHECK(refusal(R"({"model_type": "opt", "activation_function": "rellu"})") ==
          "[config.value] activation_function: expected relu, gelu, gelu_new, gelu_pytorch_tanh or quick_gelu, found "
          "'rellu'");
    CHECK(refusal(R"({"model_type": "blip-2", "vision_config": {"layer_norm_eps": "small"}})") ==
          "[config.value] vision_config.layer_norm_eps: expected a number from 0 to 1, found \"small\"");
    CHECK(refusal(R"({"model_type": "blip-2", "vision_config": {"image_size": 225}})") ==
          "[config.value] vision_config.patch_size: expected a divisor of image_size 225, found 14");
    CHECK(
        refusal(R"({"model_type": "blip-2", "vision_config": {"image_size": [224, 112]}})") ==
        "[config.unsupported] vision_config.image_size: expected one number, or two that are equal, found 224 and 112");
    CHECK(refusal(R"({"model_type": "blip-2", "vision_config": []})") ==
          "[config.value] vision_config: expected an object, found []");
}

TEST_CASE("models that are known, but not here") {
    CHECK(refusal(R"({"model_type": "blip-2", "text_config": {"model_type": "llama"}})") ==
          "[config.unsupported] text_config.model_type: expected 'opt' or 't5', found 'llama'");
    for (const char* type : {"t5", "llama"}) {
        const Described d = described(R"({"model_type": ")" + std::string(type) + "\"}");
        CHECK_FALSE(d.vision);
        CHECK_FALSE(d.qformer);
        CHECK_FALSE(d.text);
    }
    CHECK(refusal(R"({"model_type": "opt", "enable_bias": false})") ==
          "[config.unsupported] enable_bias: false is not supported");
    CHECK(refusal(R"({"model_type": "opt", "tie_word_embeddings": false})") ==
          "[config.unsupported] tie_word_embeddings: false is not supported");
    CHECK(refusal(R"({"model_type": "opt", "_remove_final_layer_norm": true})") ==
          "[config.unsupported] _remove_final_layer_norm: true is not supported");
    CHECK(refusal(R"({"model_type": "blip-2", "vision_config": {"qkv_bias": false}})") ==
          "[config.unsupported] vision_config.qkv_bias: false is not supported");
}

}  // namespace checkpoint_model_config
