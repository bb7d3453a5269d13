// config.json and the files beside it, as Hugging Face writes them; and the folders of all models of this world.
#pragma once
#include "models.hpp"
#include "tokenizers/bert.hpp"
#include "tokenizers/opt.hpp"
#include "tokenizers/t5.hpp"

namespace scenes {

inline Json vision_settings(const tessera::VitConfig& c) {
    return {{"model_type", "blip_2_vision_model"},
            {"attention_dropout", 0.0},
            {"hidden_act", "gelu"},
            {"hidden_size", c.width},
            {"image_size", c.image},
            {"intermediate_size", c.hidden},
            {"layer_norm_eps", 1e-6},
            {"num_attention_heads", c.heads},
            {"num_hidden_layers", c.layers},
            {"patch_size", c.patch},
            {"qkv_bias", true}};
}

inline Json qformer_settings(const tessera::QFormerConfig& c) {
    Json out = {{"model_type", "blip_2_qformer"},   {"cross_attention_frequency", c.cross_every},
                {"encoder_hidden_size", c.context}, {"hidden_act", "gelu"},
                {"hidden_size", c.width},           {"intermediate_size", c.hidden},
                {"layer_norm_eps", 1e-12},          {"max_position_embeddings", c.positions},
                {"num_attention_heads", c.heads},   {"num_hidden_layers", c.layers}};
    if (c.has_text()) out.update(Json{{"use_qformer_text_input", true}, {"vocab_size", c.vocabulary}});
    return out;
}

inline Json opt_settings(const tessera::OptConfig& c, Index end) {
    return {{"model_type", "opt"},
            {"_remove_final_layer_norm", false},
            {"activation_function", "relu"},
            {"architectures", {"OPTForCausalLM"}},
            {"bos_token_id", 2},
            {"do_layer_norm_before", c.pre_norm},
            {"dropout", 0.0},
            {"eos_token_id", end},
            {"ffn_dim", c.hidden},
            {"hidden_size", c.width},
            {"max_position_embeddings", c.positions},
            {"num_attention_heads", c.heads},
            {"num_hidden_layers", c.layers},
            {"pad_token_id", 1},
            {"prefix", "</s>"},
            {"vocab_size", c.vocabulary},
            {"word_embed_proj_dim", c.embedding}};
}

inline Json t5_settings(const tessera::T5Config& c) {
    return {{"model_type", "t5"},
            {"architectures", {"T5ForConditionalGeneration"}},
            {"d_ff", c.hidden},
            {"d_kv", c.head_size},
            {"d_model", c.width},
            {"decoder_start_token_id", 0},
            {"dense_act_fn", "gelu_new"},
            {"dropout_rate", 0.0},
            {"eos_token_id", 1},
            {"feed_forward_proj", "gated-gelu"},
            {"is_encoder_decoder", true},
            {"is_gated_act", true},
            {"layer_norm_epsilon", 1e-6},
            {"num_decoder_layers", c.decoder_layers},
            {"num_heads", c.heads},
            {"num_layers", c.encoder_layers},
            {"pad_token_id", 0},
            {"relative_attention_max_distance", c.max_distance},
            {"relative_attention_num_buckets", c.buckets},
            {"tie_word_embeddings", c.tied_head},
            {"vocab_size", c.vocabulary}};
}

/// A BLIP-2 of which `language` are the settings of the language model.
inline Json blip2_settings(std::string_view architecture, const tessera::QFormerConfig& qformer, Json language,
                           Index image_id) {
    const bool decoder_only = language["model_type"] == "opt";
    return {{"model_type", "blip-2"},
            {"architectures", {architecture}},
            {"image_text_hidden_size", qformer.embedding},
            {"image_token_index", image_id},
            {"is_encoder_decoder", !decoder_only},
            {"num_query_tokens", qformer.queries},
            {"qformer_config", qformer_settings(qformer)},
            {"text_config", std::move(language)},
            {"tie_word_embeddings", false},
            {"use_decoder_only_language_model", decoder_only},
            {"vision_config", vision_settings(vision_config)}};
}

/// How pictures become numbers: as they are drawn, and near 0.
inline Json preprocessor_settings() {
    return {{"do_convert_rgb", true},
            {"do_normalize", true},
            {"do_rescale", true},
            {"do_resize", true},
            {"image_mean", {0.25, 0.25, 0.25}},
            {"image_processor_type", "BlipImageProcessor"},
            {"image_std", {0.25, 0.25, 0.25}},
            {"processor_class", "Blip2Processor"},
            {"resample", 3},
            {"rescale_factor", 0.00392156862745098},
            {"size", {{"height", picture_side}, {"width", picture_side}}}};
}

/// All that lies beside the weights, by the name of the model's folder.
inline std::map<std::string, Files> model_folders() {
    const Index newline = opt_vocabulary().id("Ċ");
    const auto opt_generation = [](Index end) {
        return text_of({{"_from_model_config", true}, {"bos_token_id", 2}, {"eos_token_id", end}, {"pad_token_id", 1}});
    };
    const auto with = [](Files files, std::initializer_list<Files::value_type> more) {
        files.insert(more.begin(), more.end());
        return files;
    };
    const std::string preprocessor = text_of(preprocessor_settings()),
                      processor = text_of(
                          {{"num_query_tokens", qformer_config.queries}, {"processor_class", "Blip2Processor"}}),
                      t5_generation = text_of({{"_from_model_config", true},
                                               {"decoder_start_token_id", 0},
                                               {"eos_token_id", 1},
                                               {"pad_token_id", 0}});
    std::map<std::string, Files> out;
    out["vision"] = {{"config.json", text_of(vision_settings(vision_config))},
                     {"preprocessor_config.json", preprocessor}};
    out["opt"] = with(opt_tokenizer(false), {{"config.json", text_of(opt_settings(opt_config, newline))},
                                             {"generation_config.json", opt_generation(newline)}});
    out["t5"] = with(t5_tokenizer(false),
                     {{"config.json", text_of(t5_settings(t5_config))}, {"generation_config.json", t5_generation}});
    out["blip2_itm"] = with(bert_tokenizer(),
                            {{"config.json", text_of(blip2_settings("Blip2ForImageTextRetrieval", qformer_config,
                                                                    opt_settings(opt_config, newline), bert_tokens))},
                             {"preprocessor_config.json", preprocessor},
                             {"processor_config.json", processor}});
    out["blip2_opt"] =
        with(opt_tokenizer(true),
             {{"config.json", text_of(blip2_settings("Blip2ForConditionalGeneration", qformer_stage2_config,
                                                     opt_settings(opt_config, newline), opt_tokens))},
              {"generation_config.json", opt_generation(newline)},
              {"preprocessor_config.json", preprocessor},
              {"processor_config.json", processor}});
    out["blip2_t5"] =
        with(t5_tokenizer(true),
             {{"config.json", text_of(blip2_settings("Blip2ForConditionalGeneration", qformer_stage2_config,
                                                     t5_settings(t5_config), t5_tokens))},
              {"generation_config.json", t5_generation},
              {"preprocessor_config.json", preprocessor},
              {"processor_config.json", processor}});
    return out;
}

}  // namespace scenes
