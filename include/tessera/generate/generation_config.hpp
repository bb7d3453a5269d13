// What a checkpoint wants of text generation.
#pragma once
#include <tessera/checkpoint/model_config.hpp>

namespace tessera::inline TESSERA_ISA {

/// Only what its files say; the rest is up to the caller.
struct GenerationConfig {
    // bos_token_id, pad_token_id, eos_token_id; where no file says so, those of OPT, or of T5, which begins an empty prompt
    // with its end. The end of BLIP-2 with OPT is the newline.
    Index begin = 2, padding = 1;
    std::vector<Index> end{2};
    std::optional<Index> max_length, max_new_tokens, min_length, beams;
    std::optional<float> repetition_penalty, length_penalty;
};

/// errors  Errc::config_value
/// source  transformers, generate(): that of BLIP-2 asks the language model's own config
inline GenerationConfig read_generation_config(const ModelConfig& config) {
    const ConfigReader settings =
        config.model_type == "blip-2" ? config.root().part("text_config") : config.generation();
    constexpr Index most = ConfigReader::most_token;
    GenerationConfig out;
    if (config.model_type == "t5" || settings.text("model_type", "") == "t5")
        out.begin = 1, out.padding = 0, out.end = {1};
    out.begin = settings.optional_whole({"bos_token_id"}, 0, most).value_or(out.begin);
    out.padding = settings.optional_whole({"pad_token_id"}, 0, most).value_or(out.padding);
    out.end = settings.wholes("eos_token_id", out.end, 0, most);
    out.max_length = settings.optional_whole({"max_length"}, 0, most);
    out.max_new_tokens = settings.optional_whole({"max_new_tokens"}, 0, most);
    out.min_length = settings.optional_whole({"min_length"}, 0, most);
    out.beams = settings.optional_whole({"num_beams"}, 1, ConfigReader::most_width);
    out.repetition_penalty = settings.optional_number("repetition_penalty", 1e-6f, 1e6f);
    out.length_penalty = settings.optional_number("length_penalty", -1e6f, 1e6f);
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
