// The numbers that describe an image encoder.
#pragma once
#include <optional>
#include <tessera/core/activation.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// A vision transformer: EVA-CLIP as it stands, CLIP with `input_norm`, no `patch_bias`, `quick_gelu`, 1e-5.
struct VitConfig {
    Index image = 224;    // pixels, each side, for which the position table was made
    Index patch = 14;     // pixels, each side
    Index width = 1408;   // D
    Index heads = 16;     // H
    Index hidden = 6144;  // M
    Index layers = 39;    // L
    Activation activation = Activation::gelu;
    bool patch_bias = true;   // a bias on the patch embedding
    bool input_norm = false;  // CLIP: a norm between the embedding and the first block
    bool output_norm = true;  // a norm after the last block
    float eps = 1e-6f;        // of the norms in the blocks and of the input norm
    float output_eps = 1e-6f;

    constexpr Index grid() const { return image / patch; }
    constexpr Index tokens() const { return grid() * grid() + 1; }
    constexpr Index patch_pixels() const { return 3 * patch * patch; }
    friend constexpr bool operator==(const VitConfig&, const VitConfig&) = default;

    static constexpr const char *type_name = "VitConfig", *role = "image encoder";
    static void visit(auto&& f) {
        using C = VitConfig;
        f("image", &C::image), f("patch", &C::patch), f("width", &C::width), f("heads", &C::heads);
        f("hidden", &C::hidden), f("layers", &C::layers), f("activation", &C::activation);
        f("patch_bias", &C::patch_bias), f("input_norm", &C::input_norm), f("output_norm", &C::output_norm);
        f("eps", &C::eps), f("output_eps", &C::output_eps);
    }
    /// The image encoder of the model that config.json describes, if it has one. `config` is a ModelConfig.
    /// source  the defaults of Blip2VisionConfig and CLIPVisionConfig
    static std::optional<VitConfig> read(const auto& config);
};

/// Rejects, while compiling, numbers that no model can have.
consteval VitConfig checked(VitConfig c) {
    if (c.image <= 0 || c.patch <= 0 || c.width <= 0 || c.heads <= 0 || c.hidden <= 0 || c.layers < 0)
        throw "VitConfig: sizes must be positive";
    if (c.image % c.patch != 0) throw "VitConfig: image must be a multiple of patch";
    if (c.width % c.heads != 0) throw "VitConfig: width must be a multiple of heads";
    return c;
}

namespace detail {
VitConfig read_vit(const auto& settings, VitConfig c) {
    c.width = settings.width("hidden_size", c.width);
    c.hidden = settings.width("intermediate_size", c.hidden);
    c.layers = settings.layers(c.layers);
    c.heads = settings.heads(c.heads, c.width);
    c.image = settings.side("image_size", c.image);
    c.patch = settings.side("patch_size", c.patch);
    if (c.image % c.patch != 0)
        settings.fail("patch_size", Errc::config_value, "expected a divisor of image_size ", c.image, ", found ",
                      c.patch);
    c.activation = settings.activation("hidden_act", c.activation == Activation::quick_gelu ? "quick_gelu" : "gelu");
    c.eps = c.output_eps = settings.number("layer_norm_eps", c.eps, 0, 1);
    settings.require("qkv_bias", true, true);
    if (settings.whole("num_channels", 3, 1, 1 << 10) != 3)
        settings.fail("num_channels", Errc::config_unsupported, "expected 3 colours");
    return c;
}
}  // namespace detail

std::optional<VitConfig> VitConfig::read(const auto& config) {
    // Hugging Face's CLIP has no norm after its last block, but for the one row that it pools.
    constexpr VitConfig clip{.patch = 32,
                             .width = 768,
                             .heads = 12,
                             .hidden = 3072,
                             .layers = 12,
                             .activation = Activation::quick_gelu,
                             .patch_bias = false,
                             .input_norm = true,
                             .output_norm = false,
                             .eps = 1e-5f,
                             .output_eps = 1e-5f};
    const auto root = config.root();
    if (config.model_type == "blip-2") return detail::read_vit(root.part("vision_config"), {});
    if (config.model_type == "blip_2_vision_model") return detail::read_vit(root, {});
    if (config.model_type == "blip2_qformer_stage1") {  // may lie without its image encoder
        const auto vision = root.part("vision_config");
        const std::string type = vision.text("model_type", "");
        VitConfig c = type == "clip_vision_model" ? clip : VitConfig{};
        c.output_norm = true;
        return type.empty() ? std::optional<VitConfig>() : detail::read_vit(vision, c);
    }
    if (config.model_type == "clip_vision_model") return detail::read_vit(root, clip);
    if (config.model_type == "clip")
        return detail::read_vit(root.part("vision_config_dict").over(root.part("vision_config")), clip);
    return {};
}

}  // namespace tessera::inline TESSERA_ISA
