// The numbers that describe a T5.
#pragma once
#include <optional>
#include <string>
#include <tessera/core/activation.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// T5: FlanT5 and T5 1.1 as they stand; the first T5 has `gated` false, `tied_head` true and Activation::relu.
struct T5Config {
    Index vocabulary = 32128;   // V
    Index width = 2048;         // D
    Index heads = 32;           // H
    Index head_size = 64;       // heads · head_size need not be the width
    Index hidden = 5120;        // M
    Index encoder_layers = 24;  // L
    Index decoder_layers = 24;  // L
    Index buckets = 32;         // of the relative bias, by distance
    Index max_distance = 128;   // from which on all distances share a bucket
    bool gated = true;          // the feed-forward parts
    bool tied_head = false;     // the table of words is the output layer, and its scores are scaled by 1/√width
    Activation activation = Activation::gelu_tanh;
    float eps = 1e-6f;

    friend constexpr bool operator==(const T5Config&, const T5Config&) = default;

    static constexpr const char *type_name = "T5Config", *role = "language model";
    static void visit(auto&& f) {
        using C = T5Config;
        f("vocabulary", &C::vocabulary), f("width", &C::width), f("heads", &C::heads), f("head_size", &C::head_size);
        f("hidden", &C::hidden), f("encoder_layers", &C::encoder_layers), f("decoder_layers", &C::decoder_layers);
        f("buckets", &C::buckets), f("max_distance", &C::max_distance), f("gated", &C::gated);
        f("tied_head", &C::tied_head), f("activation", &C::activation), f("eps", &C::eps);
    }
    /// The T5 that config.json describes, or that is the language model of the BLIP-2 it describes. `config` is a
    /// ModelConfig.
    /// source  T5Config of transformers 4 and 5
    static std::optional<T5Config> read(const auto& config);
};

/// Rejects, while compiling, numbers that no model can have.
consteval T5Config checked(T5Config c) {
    if (c.vocabulary <= 0 || c.width <= 0 || c.heads <= 0 || c.head_size <= 0 || c.hidden <= 0 ||
        c.encoder_layers < 0 || c.decoder_layers < 0)
        throw "T5Config: sizes must be positive";
    if (c.buckets < 4 || c.buckets % 2 != 0) throw "T5Config: buckets must be an even number from 4 on";
    if (c.max_distance <= c.buckets / 2) throw "T5Config: max_distance must be more than half of the buckets";
    return c;
}

std::optional<T5Config> T5Config::read(const auto& config) {
    const bool blip2 = config.model_type == "blip-2";
    if (!blip2 && config.model_type != "t5") return {};
    const auto root = config.root(), settings = blip2 ? root.part("text_config") : root;
    if (blip2 &&
        (settings.text("model_type", "opt") != "t5" || root.mentions("architectures", "Blip2ForImageTextRetrieval")))
        return {};
    T5Config c;
    c.vocabulary = settings.whole("vocab_size", 32128, 1, settings.most_words);
    c.width = settings.width("d_model", 512);
    c.heads = settings.width("num_heads", 8);
    c.head_size = settings.width("d_kv", 64);
    c.hidden = settings.width("d_ff", 2048);
    c.encoder_layers = settings.whole("num_layers", 6, 0, settings.most_layers);
    c.decoder_layers =
        settings.optional_whole({"num_decoder_layers"}, 0, settings.most_layers).value_or(c.encoder_layers);
    c.buckets = settings.whole("relative_attention_num_buckets", 32, 4, settings.most_width);
    if (c.buckets % 2 != 0)
        settings.fail("relative_attention_num_buckets", Errc::config_unsupported, "expected an even number, found ",
                      c.buckets);
    c.max_distance = settings.whole("relative_attention_max_distance", 128, c.buckets / 2 + 1, settings.most_positions);
    // `dense_act_fn` counts where there is one: BLIP-2's FlanT5 has the exact GELU by it.
    const std::string feed = settings.text("feed_forward_proj", "relu");
    const bool gated = feed.starts_with("gated-");
    c.gated = settings.flag("is_gated_act", gated);
    c.activation = settings.activation("dense_act_fn", feed == "gated-gelu" ? "gelu_new"
                                                       : gated              ? feed.substr(6)
                                                                            : feed);
    c.eps = settings.number("layer_norm_epsilon", c.eps, 0, 1);
    // Transformers 5 ties whatever is equal, and says by a key of its own whether scores are scaled.
    c.tied_head = settings.flag("scale_decoder_outputs", settings.flag("tie_word_embeddings", true));
    if (const Index start = settings.whole("decoder_start_token_id", 0, 0, settings.most_token); start != 0)
        settings.fail("decoder_start_token_id", Errc::config_unsupported, "expected 0, found ", start);
    return c;
}

}  // namespace tessera::inline TESSERA_ISA
