// The shapes of published checkpoints.
#pragma once
#include <tessera/model/opt/config.hpp>
#include <tessera/model/qformer/config.hpp>
#include <tessera/model/t5/config.hpp>
#include <tessera/model/vit/config.hpp>

namespace tessera::inline TESSERA_ISA {

// Image encoders. BLIP-2 drops the last block of each: 39 of EVA-CLIP's 40, 23 of CLIP's 24.
inline constexpr VitConfig eva_vit_g14 = checked(VitConfig{});
inline constexpr VitConfig eva_vit_g14_364 = checked(VitConfig{.image = 364});
/// openai/clip-vit-large-patch14, as Hugging Face's CLIPVisionModel runs it: no norm after the last block.
inline constexpr VitConfig clip_vit_l14 = checked(VitConfig{.width = 1024,
                                                            .hidden = 4096,
                                                            .layers = 24,
                                                            .activation = Activation::quick_gelu,
                                                            .patch_bias = false,
                                                            .input_norm = true,
                                                            .output_norm = false,
                                                            .eps = 1e-5f,
                                                            .output_eps = 1e-5f});

/// CLIP's ViT-L/14 as BLIP-2 has it: with a norm of its own after the last block that is used. How many blocks those are, no file
/// says: LAVIS built 21 when it trained its ViT-L checkpoints, and 22, then 23 (all of CLIP's but the last) since May 2023.
/// source  LAVIS, models/clip_vit.py: commits 85907dd, 42fb607, a993949
consteval VitConfig blip2_clip_vit_l14(Index layers = 23) {
    VitConfig c = clip_vit_l14;
    c.layers = layers;
    c.output_norm = true;
    return checked(c);
}

// The Q-Former for each image encoder.
inline constexpr QFormerConfig qformer_vit_g = checked(QFormerConfig{});
inline constexpr QFormerConfig qformer_itm_vit_l = checked(QFormerConfig{.context = 1024, .vocabulary = 30523});
inline constexpr QFormerConfig qformer_itm_vit_g =
    checked(QFormerConfig{.vocabulary = 30523});  // BERT's words and [DEC]
inline constexpr QFormerConfig qformer_vit_l = checked(QFormerConfig{.context = 1024});

// OPT as facebook/opt-* have it; BLIP-2's copies have a vocabulary of 50304.
inline constexpr OptConfig opt_125m =
    checked(OptConfig{.width = 768, .heads = 12, .hidden = 3072, .layers = 12, .embedding = 768});
inline constexpr OptConfig opt_350m =
    checked(OptConfig{.width = 1024, .heads = 16, .hidden = 4096, .layers = 24, .embedding = 512, .pre_norm = false});
inline constexpr OptConfig opt_1_3b =
    checked(OptConfig{.width = 2048, .heads = 32, .hidden = 8192, .layers = 24, .embedding = 2048});
inline constexpr OptConfig opt_2_7b = checked(OptConfig{});
inline constexpr OptConfig opt_6_7b =
    checked(OptConfig{.width = 4096, .heads = 32, .hidden = 16384, .layers = 32, .embedding = 4096});

inline constexpr OptConfig blip2_opt_2_7b_decoder = checked(OptConfig{.vocabulary = 50304});
inline constexpr OptConfig blip2_opt_6_7b_decoder = checked(
    OptConfig{.vocabulary = 50304, .width = 4096, .heads = 32, .hidden = 16384, .layers = 32, .embedding = 4096});

// FlanT5 as google/flan-t5-* have it, and as BLIP-2 does: with the exact GELU.
inline constexpr T5Config flan_t5_small =
    checked(T5Config{.width = 512, .heads = 6, .hidden = 1024, .encoder_layers = 8, .decoder_layers = 8});
inline constexpr T5Config flan_t5_base =
    checked(T5Config{.width = 768, .heads = 12, .hidden = 2048, .encoder_layers = 12, .decoder_layers = 12});
inline constexpr T5Config flan_t5_large = checked(T5Config{.width = 1024, .heads = 16, .hidden = 2816});
inline constexpr T5Config flan_t5_xl = checked(T5Config{});
inline constexpr T5Config flan_t5_xxl = checked(T5Config{.width = 4096, .heads = 64, .hidden = 10240});
inline constexpr T5Config blip2_flan_t5_xl = checked(T5Config{.activation = Activation::gelu});
inline constexpr T5Config blip2_flan_t5_xxl =
    checked(T5Config{.width = 4096, .heads = 64, .hidden = 10240, .activation = Activation::gelu});

// The checkpoints in tests/golden, for demonstrations and tests: random weights, real layout.
inline constexpr VitConfig tiny_vit =
    checked(VitConfig{.image = 56, .width = 64, .heads = 4, .hidden = 112, .layers = 3});
inline constexpr QFormerConfig tiny_qformer =
    checked(QFormerConfig{.queries = 8, .width = 48, .heads = 4, .hidden = 80, .layers = 4, .context = tiny_vit.width});
inline constexpr QFormerConfig tiny_itm_qformer = checked(QFormerConfig{.queries = 8,
                                                                        .width = 48,
                                                                        .heads = 4,
                                                                        .hidden = 80,
                                                                        .layers = 4,
                                                                        .context = tiny_vit.width,
                                                                        .vocabulary = 501,
                                                                        .positions = 64,
                                                                        .embedding = 40});
inline constexpr OptConfig tiny_opt = checked(OptConfig{
    .vocabulary = 608, .width = 64, .heads = 4, .hidden = 128, .layers = 3, .positions = 160, .embedding = 64});
inline constexpr T5Config tiny_t5 = checked(T5Config{.vocabulary = 640,
                                                     .width = 64,
                                                     .heads = 4,
                                                     .head_size = 12,
                                                     .hidden = 128,
                                                     .encoder_layers = 3,
                                                     .decoder_layers = 3});

}  // namespace tessera::inline TESSERA_ISA
