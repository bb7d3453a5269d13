// The configuration files beside the weights, as sparse as published ones: what is at its default is left out.
#pragma once
#include <map>
#include <tessera/core/json.hpp>

#include "tensors.hpp"

namespace tessera::random_checkpoint {

inline constexpr Index newline_id = 50118;
inline constexpr Index image_id = 50265, t5_image_id = 32100, bert_image_id = 30523;

/// File name and content, to be written into the folder.
using Documents = std::map<std::string, Json>;

/// What an OPT's config.json and a BLIP-2's text_config have in common.
inline Json opt_sizes(const OptConfig& c) {
    return {{"model_type", "opt"},
            {"architectures", {"OPTForCausalLM"}},
            {"activation_dropout", 0.0},
            {"prefix", "</s>"},
            {"vocab_size", c.vocabulary},
            {"hidden_size", c.width},
            {"num_attention_heads", c.heads},
            {"num_hidden_layers", c.layers},
            {"ffn_dim", c.hidden},
            {"word_embed_proj_dim", c.embedding}};
}

inline Json opt_config(const OptConfig& c, std::string_view dtype) {
    Json config = opt_sizes(c);
    config.update(Json{{"_remove_final_layer_norm", false},
                       {"activation_function", "relu"},
                       {"attention_dropout", 0.0},
                       {"bos_token_id", 2},
                       {"do_layer_norm_before", c.pre_norm},
                       {"dropout", 0.1},
                       {"eos_token_id", 2},
                       {"init_std", 0.02},
                       {"layerdrop", 0.0},
                       {"max_position_embeddings", c.positions},
                       {"pad_token_id", 1},
                       {"torch_dtype", dtype},
                       {"use_cache", true}});
    return config;
}

/// What a T5's config.json and a BLIP-2's text_config have in common.
inline Json t5_config(const T5Config& c, std::string_view dtype) {
    return {{"model_type", "t5"},
            {"architectures", {"T5ForConditionalGeneration"}},
            {"d_ff", c.hidden},
            {"d_kv", c.head_size},
            {"d_model", c.width},
            {"decoder_start_token_id", 0},
            {"dense_act_fn", c.activation == Activation::gelu ? "gelu" : "gelu_new"},
            {"dropout_rate", 0.1},
            {"eos_token_id", 1},
            {"feed_forward_proj", "gated-gelu"},
            {"initializer_factor", 1.0},
            {"is_encoder_decoder", true},
            {"is_gated_act", true},
            {"layer_norm_epsilon", 1e-6},
            {"n_positions", 512},
            {"num_decoder_layers", c.decoder_layers},
            {"num_heads", c.heads},
            {"num_layers", c.encoder_layers},
            {"output_past", true},
            {"pad_token_id", 0},
            {"relative_attention_max_distance", c.max_distance},
            {"relative_attention_num_buckets", c.buckets},
            {"tie_word_embeddings", c.tied_head},
            {"torch_dtype", dtype},
            {"use_cache", true},
            {"vocab_size", c.vocabulary}};
}

inline Json blip2_vision_config(const VitConfig& c) {
    Json vision = {
        {"model_type", "blip_2_vision_model"}, {"dropout", 0.0}, {"num_channels", 3}, {"projection_dim", 512}};
    if (c.image != VitConfig{}.image) vision["image_size"] = c.image;
    return vision;
}

/// BLIP-2 for retrieval has no language model, and says what it would be all the same.
inline Json retrieval_config(const Shape& shape, std::string_view dtype) {
    return {{"model_type", "blip-2"},
            {"architectures", {"Blip2ForImageTextRetrieval"}},
            {"image_text_hidden_size", shape.qformer->embedding},
            {"image_token_index", bert_image_id},
            {"initializer_factor", 1.0},
            {"initializer_range", 0.02},
            {"num_query_tokens", shape.qformer->queries},
            {"qformer_config",
             {{"model_type", "blip_2_qformer"},
              {"use_qformer_text_input", true},
              {"vocab_size", shape.qformer->vocabulary}}},
            {"text_config", {{"model_type", "opt"}}},
            {"torch_dtype", dtype},
            {"use_decoder_only_language_model", true},
            {"vision_config", blip2_vision_config(*shape.vision)}};
}

inline Json blip2_config(const Shape& shape, std::string_view dtype) {
    Json text = shape.opt ? opt_sizes(*shape.opt) : t5_config(*shape.t5, dtype);
    if (shape.opt) text["eos_token_id"] = newline_id;
    text["torch_dtype"] = dtype;
    return {{"model_type", "blip-2"},
            {"architectures", {"Blip2ForConditionalGeneration"}},
            {"image_text_hidden_size", 256},
            {"image_token_index", shape.opt ? image_id : t5_image_id},
            {"initializer_factor", 1.0},
            {"initializer_range", 0.02},
            {"num_query_tokens", shape.qformer->queries},
            {"qformer_config", {{"model_type", "blip_2_qformer"}, {"classifier_dropout", nullptr}}},
            {"text_config", std::move(text)},
            {"torch_dtype", dtype},
            {"use_decoder_only_language_model", shape.opt.has_value()},
            {"vision_config", blip2_vision_config(*shape.vision)}};
}

inline Json clip_config(const VitConfig& c, std::string_view dtype) {
    const ClipText t;
    return {{"model_type", "clip"},
            {"architectures", {"CLIPModel"}},
            {"initializer_factor", 1.0},
            {"logit_scale_init_value", 2.6592},
            {"projection_dim", t.projection},
            {"text_config",
             {{"model_type", "clip_text_model"},
              {"hidden_size", t.width},
              {"intermediate_size", t.hidden},
              {"num_attention_heads", t.heads},
              {"num_hidden_layers", t.layers},
              {"projection_dim", t.projection},
              {"vocab_size", t.vocabulary}}},
            {"torch_dtype", dtype},
            {"vision_config",
             {{"model_type", "clip_vision_model"},
              {"hidden_act", "quick_gelu"},
              {"hidden_size", c.width},
              {"image_size", c.image},
              {"intermediate_size", c.hidden},
              {"layer_norm_eps", 1e-05},
              {"num_attention_heads", c.heads},
              {"num_hidden_layers", c.layers},
              {"patch_size", c.patch},
              {"projection_dim", t.projection}}}};
}

/// preprocessor_config.json: BLIP-2 squeezes the picture into a square, CLIP scales its shorter side and cuts the rest.
inline Json preprocessor_config(const VitConfig& c, bool crop) {
    Json config = {{"do_convert_rgb", true},
                   {"do_normalize", true},
                   {"do_rescale", true},
                   {"do_resize", true},
                   {"image_mean", {0.48145466, 0.4578275, 0.40821073}},
                   {"image_std", {0.26862954, 0.26130258, 0.27577711}},
                   {"resample", 3},
                   {"rescale_factor", 0.00392156862745098}};
    const Json square = {{"height", c.image}, {"width", c.image}};
    if (crop) {
        config["image_processor_type"] = "CLIPImageProcessor";
        config["do_center_crop"] = true;
        config["crop_size"] = square;
        config["size"] = {{"shortest_edge", c.image}};
    } else {
        config["image_processor_type"] = "BlipImageProcessor";
        config["processor_class"] = "Blip2Processor";
        config["size"] = square;
    }
    return config;
}

/// `dtype` in PyTorch's words: bfloat16, float16, float32.
inline Documents settings(const Shape& shape, std::string_view dtype) {
    Documents files;
    if (shape.qformer) {
        files["config.json"] = shape.retrieval() ? retrieval_config(shape, dtype) : blip2_config(shape, dtype);
        files["preprocessor_config.json"] = preprocessor_config(*shape.vision, false);
        files["processor_config.json"] = {{"num_query_tokens", shape.qformer->queries},
                                          {"processor_class", "Blip2Processor"}};
    } else if (shape.opt) {
        files["config.json"] = opt_config(*shape.opt, dtype);
    } else if (shape.t5) {
        files["config.json"] = t5_config(*shape.t5, dtype);
    } else {
        files["config.json"] = clip_config(*shape.vision, dtype);
        files["preprocessor_config.json"] = preprocessor_config(*shape.vision, true);
    }
    if (shape.t5)
        files["generation_config.json"] = {
            {"_from_model_config", true}, {"decoder_start_token_id", 0}, {"eos_token_id", 1}, {"pad_token_id", 0}};
    if (shape.opt)
        files["generation_config.json"] = {{"_from_model_config", true},
                                           {"bos_token_id", 2},
                                           {"eos_token_id", shape.qformer ? newline_id : 2},
                                           {"pad_token_id", 1}};
    return files;
}

}  // namespace tessera::random_checkpoint
