// Which models can be written: the stock configs, under the names of their published checkpoints.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/model/blip2/stock.hpp>

namespace tessera::random_checkpoint {

/// The parts a checkpoint has: image encoder, Q-Former and one of the language models for BLIP-2, or none for BLIP-2 for
/// retrieval; `opt`, `t5` or `vision` alone for others.
struct Shape {
    std::string_view name;
    std::optional<VitConfig> vision;
    std::optional<QFormerConfig> qformer;
    std::optional<OptConfig> opt;
    std::optional<T5Config> t5 = {};

    constexpr bool retrieval() const { return qformer && qformer->has_text(); }
    constexpr Index language_width() const { return opt ? opt->embedding : t5->width; }
};

inline constexpr std::array shapes{
    Shape{"blip2-opt-2.7b", eva_vit_g14, qformer_vit_g, blip2_opt_2_7b_decoder},
    Shape{"blip2-opt-2.7b-coco", eva_vit_g14_364, qformer_vit_g, blip2_opt_2_7b_decoder},
    Shape{"blip2-opt-6.7b", eva_vit_g14, qformer_vit_g, blip2_opt_6_7b_decoder},
    Shape{"blip2-opt-6.7b-coco", eva_vit_g14_364, qformer_vit_g, blip2_opt_6_7b_decoder},
    Shape{"blip2-flan-t5-xl", eva_vit_g14, qformer_vit_g, {}, blip2_flan_t5_xl},
    Shape{"blip2-flan-t5-xl-coco", eva_vit_g14_364, qformer_vit_g, {}, blip2_flan_t5_xl},
    Shape{"blip2-flan-t5-xxl", eva_vit_g14, qformer_vit_g, {}, blip2_flan_t5_xxl},
    Shape{"blip2-itm-vit-g", eva_vit_g14, qformer_itm_vit_g, {}},
    Shape{"blip2-itm-vit-g-coco", eva_vit_g14_364, qformer_itm_vit_g, {}},
    Shape{"opt-125m", {}, {}, opt_125m},
    Shape{"opt-350m", {}, {}, opt_350m},
    Shape{"opt-1.3b", {}, {}, opt_1_3b},
    Shape{"opt-2.7b", {}, {}, opt_2_7b},
    Shape{"opt-6.7b", {}, {}, opt_6_7b},
    Shape{"flan-t5-small", {}, {}, {}, flan_t5_small},
    Shape{"flan-t5-base", {}, {}, {}, flan_t5_base},
    Shape{"flan-t5-large", {}, {}, {}, flan_t5_large},
    Shape{"flan-t5-xl", {}, {}, {}, flan_t5_xl},
    Shape{"flan-t5-xxl", {}, {}, {}, flan_t5_xxl},
    Shape{"clip-vit-large-patch14", clip_vit_l14, {}, {}},
};

/// errors  Errc::option_value lists the names there are
inline const Shape& shape_named(std::string_view name) {
    std::string known;
    for (const Shape& shape : shapes) {
        if (shape.name == name) return shape;
        known += (known.empty() ? "" : ", ") + std::string(shape.name);
    }
    throw Error(Errc::option_value, "--shape: expected one of ", known, ", found '", name, "'");
}

}  // namespace tessera::random_checkpoint
