// The shapes of the models in tests/golden.
#pragma once
#include <tessera/model/blip2.hpp>

namespace tessera::test {

inline constexpr VitConfig golden_vit =
    checked(VitConfig{.image = 56, .patch = 14, .width = 64, .heads = 4, .hidden = 112, .layers = 3});
inline constexpr QFormerConfig golden_qformer =
    checked(QFormerConfig{.queries = 8, .width = 48, .heads = 4, .hidden = 80, .layers = 4, .context = 64});
inline constexpr OptConfig golden_opt = checked(OptConfig{
    .vocabulary = 608, .width = 64, .heads = 4, .hidden = 128, .layers = 3, .positions = 160, .embedding = 64});
inline constexpr OptConfig golden_opt_350m = checked(OptConfig{.vocabulary = 608,
                                                               .width = 64,
                                                               .heads = 4,
                                                               .hidden = 128,
                                                               .layers = 3,
                                                               .positions = 160,
                                                               .embedding = 40,
                                                               .pre_norm = false});
inline constexpr VitConfig golden_clip = checked(VitConfig{.image = 56,
                                                           .patch = 14,
                                                           .width = 64,
                                                           .heads = 4,
                                                           .hidden = 128,
                                                           .layers = 4,
                                                           .activation = Activation::quick_gelu,
                                                           .patch_bias = false,
                                                           .input_norm = true,
                                                           .output_norm = false,
                                                           .eps = 1e-5f,
                                                           .output_eps = 1e-5f});

using GoldenBlip2 = Blip2<Vit<golden_vit>, QFormer<golden_qformer>, Opt<golden_opt>>;

}  // namespace tessera::test
