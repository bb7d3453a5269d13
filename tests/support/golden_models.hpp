// The shapes of the models in tests/golden that are not among the library's own (tiny_vit, tiny_qformer, tiny_opt).
#pragma once
#include <tessera/model/blip2/stock.hpp>

namespace tessera::test {

inline constexpr OptConfig golden_opt_350m = checked(OptConfig{.vocabulary = 608,
                                                               .width = 64,
                                                               .heads = 4,
                                                               .hidden = 128,
                                                               .layers = 3,
                                                               .positions = 160,
                                                               .embedding = 40,
                                                               .pre_norm = false});
inline constexpr T5Config golden_t5 = checked(T5Config{.vocabulary = 640,
                                                       .width = 64,
                                                       .heads = 4,
                                                       .head_size = 12,
                                                       .hidden = 128,
                                                       .encoder_layers = 2,
                                                       .decoder_layers = 2});
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
inline constexpr QFormerConfig golden_stage1 = checked(QFormerConfig{.queries = 8,
                                                                     .width = 48,
                                                                     .heads = 4,
                                                                     .hidden = 80,
                                                                     .layers = 4,
                                                                     .context = 64,
                                                                     .vocabulary = 381,
                                                                     .positions = 64,
                                                                     .embedding = 32});

}  // namespace tessera::test
