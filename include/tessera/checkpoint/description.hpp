// What config.json says of a model: the same numbers that are compiled into a model's type, at run time.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tessera/checkpoint/settings.hpp>
#include <tessera/checkpoint/spellings.hpp>
#include <tessera/model/config.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What a checkpoint wants of text generation. Only what its files say; the rest is up to the caller.
struct GenerationSettings {
    std::optional<Index> begin;  // bos_token_id
    std::vector<Index> end;      // eos_token_id; for BLIP-2 with OPT the newline
    std::optional<Index> padding;
    std::optional<Index> max_length, max_new_tokens, min_length, beams;
    std::optional<float> repetition_penalty, length_penalty;
};

/// A model as its config.json describes it.
struct Description {
    std::filesystem::path file;  // config.json itself, for messages
    std::string model_type;
    Architecture architecture = Architecture::own;  // opt, vit or blip2
    std::optional<VitConfig> vision;
    std::optional<QFormerConfig> qformer;
    std::optional<OptConfig> text;  // BLIP-2 for retrieval has none
    std::optional<Index> image_token;
    GenerationSettings generation;
    std::string dtype;  // what the weights were made for: `float16`; empty if it is not said
};

namespace detail {

// Bounds of what is plausible; nothing larger is believed, so that products of them cannot overflow.
inline constexpr Index most_width = 1 << 17, most_layers = 1 << 10, most_words = 1 << 24, most_positions = 1 << 20,
                       most_pixels = 1 << 14, most_queries = 1 << 14, most_token = 0x7fffffff;

inline Activation activation(const Settings& settings, const char* key, std::string_view otherwise) {
    const std::string name = settings.text(key, otherwise);
    if (name == "relu") return Activation::relu;
    if (name == "gelu") return Activation::gelu;
    if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") return Activation::gelu_tanh;
    if (name == "quick_gelu") return Activation::quick_gelu;
    settings.fail(Errc::config_value, key, "expected relu, gelu, gelu_new, gelu_pytorch_tanh or quick_gelu, found ",
                  in_quotes(name));
}
inline void require(const Settings& settings, const char* key, bool otherwise, bool wanted) {
    if (settings.flag(key, otherwise) != wanted)
        settings.fail(Errc::config_unsupported, key, wanted ? "false" : "true", " is not supported");
}
inline Index heads(const Settings& settings, Index otherwise, Index width) {
    const Index heads = settings.whole("num_attention_heads", otherwise, 1, most_width);
    if (width % heads != 0)
        settings.fail(Errc::config_value, "num_attention_heads", "expected a divisor of hidden_size ", width,
                      ", found ", heads);
    return heads;
}
/// A number, or the same number twice.
inline Index side(const Settings& settings, const char* key, Index otherwise) {
    const auto sides = settings.wholes(key, {otherwise}, 1, most_pixels);
    if (sides.empty() || sides.size() > 2 || sides.front() != sides.back())
        settings.fail(Errc::config_unsupported, key, "expected one number, or two that are equal, found ",
                      sides.size() == 2 ? std::to_string(sides[0]) + " and " + std::to_string(sides[1])
                                        : std::to_string(sides.size()) + " numbers");
    return sides.front();
}

inline VitConfig read_vit(const Settings& settings, const VitConfig& otherwise) {
    VitConfig c = otherwise;
    c.width = settings.whole("hidden_size", c.width, 1, most_width);
    c.hidden = settings.whole("intermediate_size", c.hidden, 1, most_width);
    c.layers = settings.whole("num_hidden_layers", c.layers, 0, most_layers);
    c.heads = heads(settings, c.heads, c.width);
    c.image = side(settings, "image_size", c.image);
    c.patch = side(settings, "patch_size", c.patch);
    if (c.image % c.patch != 0)
        settings.fail(Errc::config_value, "patch_size", "expected a divisor of image_size ", c.image, ", found ",
                      c.patch);
    c.activation = activation(settings, "hidden_act", c.activation == Activation::quick_gelu ? "quick_gelu" : "gelu");
    c.eps = c.output_eps = settings.number("layer_norm_eps", c.eps, 0, 1);
    require(settings, "qkv_bias", true, true);
    if (settings.whole("num_channels", 3, 1, 1 << 10) != 3)
        settings.fail(Errc::config_unsupported, "num_channels", "expected 3 colours");
    return c;
}
/// Hugging Face's CLIP has no norm behind its last block, but for the one row that it pools.
inline VitConfig read_clip(const Settings& settings) {
    return read_vit(settings, {.patch = 32,
                               .width = 768,
                               .heads = 12,
                               .hidden = 3072,
                               .layers = 12,
                               .activation = Activation::quick_gelu,
                               .patch_bias = false,
                               .input_norm = true,
                               .output_norm = false,
                               .eps = 1e-5f,
                               .output_eps = 1e-5f});
}

inline QFormerConfig read_qformer(const Settings& settings, Index queries, Index context, bool has_text) {
    QFormerConfig c;
    c.queries = queries;
    c.context = context;  // whatever encoder_hidden_size says
    c.width = settings.whole("hidden_size", c.width, 1, most_width);
    c.hidden = settings.whole("intermediate_size", c.hidden, 1, most_width);
    c.layers = settings.whole("num_hidden_layers", c.layers, 0, most_layers);
    c.heads = heads(settings, c.heads, c.width);
    c.cross_every = settings.whole("cross_attention_frequency", c.cross_every, 1, most_layers);
    c.positions = settings.whole("max_position_embeddings", c.positions, 1, most_positions);
    c.activation = activation(settings, "hidden_act", "gelu");
    c.eps = settings.number("layer_norm_eps", c.eps, 0, 1);
    const Index words = settings.whole("vocab_size", 30522, 1, most_words);
    c.vocabulary = has_text ? words : 0;
    return c;
}

inline OptConfig read_opt(const Settings& settings) {
    OptConfig c;
    c.width = settings.whole("hidden_size", 768, 1, most_width);
    c.embedding = settings.optional_whole({"word_embed_proj_dim"}, 1, most_width).value_or(c.width);
    c.hidden = settings.whole("ffn_dim", 3072, 1, most_width);
    c.layers = settings.whole("num_hidden_layers", 12, 0, most_layers);
    c.heads = heads(settings, 12, c.width);
    c.vocabulary = settings.whole("vocab_size", c.vocabulary, 1, most_words);
    c.positions = settings.whole("max_position_embeddings", c.positions, 1, most_positions);
    c.pre_norm = settings.flag("do_layer_norm_before", true);
    c.activation = activation(settings, "activation_function", "relu");
    require(settings, "enable_bias", true, true);
    require(settings, "layer_norm_elementwise_affine", true, true);
    require(settings, "tie_word_embeddings", true, true);
    if (c.pre_norm) require(settings, "_remove_final_layer_norm", false, false);
    return c;
}

inline GenerationSettings read_generation(const Settings& settings) {
    GenerationSettings out;
    out.begin = settings.optional_whole({"bos_token_id"}, 0, most_token);
    out.end = settings.wholes("eos_token_id", {}, 0, most_token);
    out.padding = settings.optional_whole({"pad_token_id"}, 0, most_token);
    out.max_length = settings.optional_whole({"max_length"}, 0, most_token);
    out.max_new_tokens = settings.optional_whole({"max_new_tokens"}, 0, most_token);
    out.min_length = settings.optional_whole({"min_length"}, 0, most_token);
    out.beams = settings.optional_whole({"num_beams"}, 1, most_width);
    const auto penalty = [&](const char* key, float lowest) -> std::optional<float> {
        if (!settings.has(key) || settings.is_null(key)) return {};
        return settings.number(key, 1, lowest, 1e6f);
    };
    out.repetition_penalty = penalty("repetition_penalty", 1e-6f);
    out.length_penalty = penalty("length_penalty", -1e6f);
    return out;
}
/// The ids that OPT has where its config does not say.
inline Settings with_opt_ids(const Settings& settings) {
    return settings.completed({{"bos_token_id", 2}, {"eos_token_id", 2}, {"pad_token_id", 1}});
}

inline Description read_blip2(const Settings& settings, Description d) {
    const Settings text = settings.part("text_config");
    const bool retrieval = settings.mentions("architectures", "Blip2ForImageTextRetrieval");
    const std::string text_type = text.text("model_type", "opt");
    if (text_type == "t5" && !retrieval)
        text.fail(Errc::config_unsupported, "model_type",
                  "'t5': BLIP-2 with FlanT5 is not supported yet, only with OPT");
    if (text_type != "opt" && !retrieval)
        text.fail(Errc::config_unsupported, "model_type", "expected 'opt', found ", in_quotes(text_type));

    d.architecture = Architecture::blip2;
    d.vision = read_vit(settings.part("vision_config"), {});
    const Settings qformer = settings.part("qformer_config");
    const bool has_text = qformer.flag("use_qformer_text_input", qformer.flag("qformer_text_input", retrieval));
    d.qformer =
        read_qformer(qformer, settings.whole("num_query_tokens", 32, 1, most_queries), d.vision->width, has_text);
    d.image_token = settings.optional_whole({"image_token_index", "image_token_id"}, 0, most_token);
    if (!retrieval) {
        d.text = read_opt(text);
        d.generation = read_generation(with_opt_ids(text));  // generate() asks the language model's own config
    }
    return d;
}

}  // namespace detail

/// Reads config.json of a checkpoint folder; what it leaves out is as in transformers.
/// errors  Errc::file_open; Errc::config_value for a value that is missing, of the wrong type or out of range;
///         Errc::config_unsupported for a model that is not one of BLIP-2 with OPT, OPT and the CLIP or BLIP-2 image encoder
/// source  the defaults of Blip2Config, Blip2VisionConfig, Blip2QFormerConfig, OPTConfig and CLIPVisionConfig
inline Description read_description(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "config.json";
    const Settings settings(path);
    if (!settings.has("model_type")) settings.fail(Errc::config_value, "model_type", "expected text, found nothing");
    Description d;
    d.file = path;
    d.model_type = settings.text("model_type", "");
    for (const char* key : {"torch_dtype", "dtype"})
        if (settings.is_text(key)) d.dtype = settings.text(key, "");

    if (d.model_type == "blip-2") return detail::read_blip2(settings, std::move(d));
    if (d.model_type == "opt") {
        d.architecture = Architecture::opt;
        d.text = detail::read_opt(settings);
        std::error_code ignored;
        const auto generation = folder / "generation_config.json";
        const Settings ids = detail::with_opt_ids(settings);
        d.generation = detail::read_generation(
            std::filesystem::exists(generation, ignored) ? ids.overlaid(Settings(generation)) : ids);
        return d;
    }
    d.architecture = Architecture::vit;
    if (d.model_type == "clip")
        d.vision = detail::read_clip(settings.part("vision_config").overlaid(settings.part("vision_config_dict")));
    else if (d.model_type == "clip_vision_model")
        d.vision = detail::read_clip(settings);
    else if (d.model_type == "blip_2_vision_model")
        d.vision = detail::read_vit(settings, {});
    else if (d.model_type == "t5")
        settings.fail(Errc::config_unsupported, "model_type", "'t5' is not supported yet");
    else
        settings.fail(Errc::config_unsupported, "model_type",
                      "expected blip-2, opt, clip, clip_vision_model or blip_2_vision_model, found ",
                      in_quotes(d.model_type));
    return d;
}

}  // namespace tessera::inline TESSERA_ISA
