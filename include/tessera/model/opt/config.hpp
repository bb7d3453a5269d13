// The numbers that describe an OPT.
#pragma once
#include <optional>
#include <string>
#include <tessera/core/activation.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// OPT. `pre_norm` false and `embedding` narrower than `width`: opt-350m.
struct OptConfig {
    Index vocabulary = 50272;  // V
    Index width = 2560;        // D
    Index heads = 32;          // H
    Index hidden = 10240;      // M
    Index layers = 32;         // L
    Index positions = 2048;
    Index embedding = 2560;  // width of the word embeddings
    bool pre_norm = true;
    Activation activation = Activation::relu;
    float eps = 1e-5f;

    constexpr bool output_norm() const { return pre_norm; }
    friend constexpr bool operator==(const OptConfig&, const OptConfig&) = default;

    static constexpr const char *type_name = "OptConfig", *role = "language model";
    static void visit(auto&& f) {
        using C = OptConfig;
        f("vocabulary", &C::vocabulary), f("width", &C::width), f("heads", &C::heads), f("hidden", &C::hidden);
        f("layers", &C::layers), f("positions", &C::positions), f("embedding", &C::embedding);
        f("pre_norm", &C::pre_norm), f("activation", &C::activation), f("eps", &C::eps);
    }
    /// The OPT that config.json describes, or that is the language model of the BLIP-2 it describes. (BLIP-2 for retrieval
    /// has none.) `config` is a ModelConfig.
    /// source  the defaults of OPTConfig
    static std::optional<OptConfig> read(const auto& config);
};

/// Rejects, while compiling, numbers that no model can have.
consteval OptConfig checked(OptConfig c) {
    if (c.vocabulary <= 0 || c.width <= 0 || c.heads <= 0 || c.hidden <= 0 || c.layers < 0 || c.positions <= 0 ||
        c.embedding <= 0)
        throw "OptConfig: sizes must be positive";
    if (c.width % c.heads != 0) throw "OptConfig: width must be a multiple of heads";
    return c;
}

std::optional<OptConfig> OptConfig::read(const auto& config) {
    const bool blip2 = config.model_type == "blip-2";
    if (!blip2 && config.model_type != "opt") return {};
    const auto root = config.root(), settings = blip2 ? root.part("text_config") : root;
    if (blip2 && root.mentions("architectures", "Blip2ForImageTextRetrieval")) return {};
    if (const std::string type = settings.text("model_type", "opt"); blip2 && type == "t5")
        return {};  // T5Config reads it
    else if (type != "opt")
        settings.fail("model_type", Errc::config_unsupported, "expected 'opt' or 't5', found ", in_quotes(type));
    OptConfig c;
    c.width = settings.width("hidden_size", 768);
    c.embedding = settings.optional_whole({"word_embed_proj_dim"}, 1, settings.most_width).value_or(c.width);
    c.hidden = settings.width("ffn_dim", 3072);
    c.layers = settings.layers(12);
    c.heads = settings.heads(12, c.width);
    c.vocabulary = settings.whole("vocab_size", c.vocabulary, 1, settings.most_words);
    c.positions = settings.whole("max_position_embeddings", c.positions, 1, settings.most_positions);
    c.pre_norm = settings.flag("do_layer_norm_before", true);
    c.activation = settings.activation("activation_function", "relu");
    settings.require("enable_bias", true, true);
    settings.require("layer_norm_elementwise_affine", true, true);
    settings.require("tie_word_embeddings", true, true);
    if (c.pre_norm) settings.require("_remove_final_layer_norm", false, false);
    return c;
}

}  // namespace tessera::inline TESSERA_ISA
