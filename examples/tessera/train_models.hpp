// The shapes that this program trains, each list compiled in a file of its own.
#pragma once
#include <tessera/train/stage1_model.hpp>

#include "models.hpp"

namespace program {

/// An image encoder as stage 1 has it, and its Q-Former.
template <VitConfig V, QFormerConfig Q>
using Stage1Shape = Stage1Model<Vit<without_output_norm(V)>, QFormer<Q>>;

inline constexpr std::tuple stage1_models{
    Compiled<Stage1Shape<eva_vit_g14, qformer_itm_vit_g>>{"vit-g"},
    Compiled<Stage1Shape<blip2_clip_vit_l14(), qformer_itm_vit_l>>{"vit-l"},
    Compiled<Stage1Shape<tiny_vit, tiny_itm_qformer>>{"tiny"},
};
inline constexpr std::tuple stage2_opt_models{
    Compiled<Blip2Opt2_7b>{"blip2-opt-2.7b"},
    Compiled<Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<opt_2_7b>>>{"lavis-opt-2.7b"},
    Compiled<Blip2Tiny>{"tiny"},
};
inline constexpr std::tuple stage2_t5_models{
    Compiled<Blip2FlanT5Xl>{"blip2-flan-t5-xl"},
    Compiled<Blip2TinyT5>{"tiny-t5"},
};
inline constexpr std::tuple language_models{
    Compiled<Opt<opt_125m>>{"opt-125m"},
    Compiled<Opt<tiny_opt>>{"tiny-opt"},
    Compiled<T5<tiny_t5>>{"tiny-t5"},
};

/// Calls f(compiled), which returns an exit code, with the one of `models` that has that name; nothing where none has.
std::optional<int> with_shape(const auto& models, const std::string& name, auto&& f) {
    std::optional<int> code;
    any_model(models, [&](const auto& compiled) {
        if (compiled.name != name) return false;
        code = f(compiled);
        return true;
    });
    return code;
}

}  // namespace program
