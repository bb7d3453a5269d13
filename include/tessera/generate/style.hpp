// The published defaults of the two programs that people compare with.
#pragma once
#include <string>
#include <tessera/generate/options.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/model/blip2/blip2.hpp>

namespace tessera::inline TESSERA_ISA {

enum class Style : char { transformers, lavis };

/// What kind of language model a BLIP-2 has; without one, its Q-Former speaks (Blip2Itg).
enum class LanguageFamily : char { opt, t5, qformer };
template <class Language>
inline constexpr LanguageFamily language_family = requires {
    Language::config.encoder_layers;
}
? LanguageFamily::t5 : LanguageFamily::opt;

/// What the programs do where nobody says otherwise, and where they differ.
struct StyleDefaults {
    GenerateOptions caption;
    GenerateOptions answer;  // `prompt` has {} in the place of the question; of a Q-Former, which has no answers, none
    Transparency transparency;  // of a picture's file: dropped by load_image of transformers and by LAVIS alike
    bool turn_upright;          // by the orientation in a picture's EXIF data
    PassOrder pass_order;       // of the resize
    float vision_eps;           // of the norm after the image encoder
    bool simplifies_questions;  // as question_text does
};

/// errors  Errc::option_value for the style of transformers with a Q-Former that speaks, which is not there
/// source  transformers 5: generate() without settings, load_image, BlipImageProcessor, the model cards' question; LAVIS 1.0.2:
///         generate and predict_answers of blip2_opt.py and blip2_t5.py, min_length there counting T5's start token, and generate
///         of blip2_qformer.py, where both lengths count [DEC]; Li 2023 §4.1 for the questions
inline StyleDefaults style_defaults(Style style, LanguageFamily family) {
    const bool t5 = family == LanguageFamily::t5, qformer = family == LanguageFamily::qformer;
    if (qformer && style == Style::transformers)
        throw Error(Errc::option_value,
                    "style: expected lavis, found transformers, which has no captions in the Q-Former's own words");
    if (style == Style::transformers)
        return {.caption = {.max_tokens = 20},
                .answer = {.prompt = "Question: {} Answer:", .max_tokens = 20},
                .transparency = Transparency::drop,
                .turn_upright = true,
                .pass_order = PassOrder::pillow_13,
                .vision_eps = 1e-6f,
                .simplifies_questions = false};
    const Index least = t5 ? 0 : 1;
    StyleDefaults out{.caption = {.max_tokens = 30, .min_tokens = least, .beams = 5},
                      .answer = {.prompt = t5 ? "Question: {} Short answer:" : "Question: {} Answer:",
                                 .max_tokens = 10,
                                 .min_tokens = least,
                                 .beams = 5,
                                 .length_penalty = t5 ? -1.0f : 0.0f},
                      .transparency = Transparency::drop,
                      .turn_upright = false,
                      .pass_order = PassOrder::pillow_12,
                      .vision_eps = 1e-5f,
                      .simplifies_questions = true};
    if (qformer) out.caption = {.max_tokens = 29, .min_tokens = 9, .beams = 3}, out.answer = {};
    return out;
}
template <class Model>
StyleDefaults style_defaults(Style style) {
    if constexpr (requires { &Model::language; })
        return style_defaults(style, language_family<decltype(Model::language)>);
    else
        return style_defaults(style, LanguageFamily::qformer);
}

/// Makes a loaded BLIP-2 prepare pictures and run its image encoder in that style. (How pictures are decoded is the
/// caller's: StyleDefaults::transparency, turn_upright.)
template <class Model>
void apply_style(Pipeline<Model>& blip2, const StyleDefaults& defaults) {
    blip2.processor.preprocess.pass_order = defaults.pass_order;
    blip2.model.vision.norm.eps = defaults.vision_eps;
}
template <class Model>
void apply_style(Pipeline<Model>& blip2, Style style) {
    apply_style(blip2, style_defaults<Model>(style));
}

}  // namespace tessera::inline TESSERA_ISA
