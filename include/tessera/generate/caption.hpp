// From a picture to text.
#pragma once
#include <chrono>
#include <tessera/generate/greedy.hpp>
#include <tessera/model/blip2/blip2.hpp>

namespace tessera::inline TESSERA_ISA {

/// A generated text, and how long each part took.
struct Caption {
    std::string text;           // of the new tokens, without the end and surrounding blanks
    std::vector<Token> tokens;  // new tokens, the end included
    std::vector<Token> prompt;  // what the language model read before: placeholders, beginning, prompt
    struct Seconds {
        double preprocess = 0, vision = 0, qformer = 0, prompt = 0, tokens = 0;
    } seconds;  // `prompt`: up to the first token; `tokens`: all others
};

/// Describes `image`, or answers the question in `options.prompt`. Model and processor may serve many threads at once,
/// each with a scratch of its own.
/// errors  Errc::option_value, Errc::sequence_length, Errc::text_encoding for a prompt that is not UTF-8
/// cost    blip2-opt-2.7b: 0.55 Tflop for the picture, then one pass over the language model's weights per token
template <class Vision, class Query, class Language>
Caption caption(const Blip2<Vision, Query, Language>& model, const Blip2Processor& processor, const Image& image,
                const GenerateOptions& options, Scratch& s) {
    using Clock = std::chrono::steady_clock;
    auto before = Clock::now();
    const auto lap = [&before] {
        const auto now = Clock::now();
        return std::chrono::duration<double>(now - std::exchange(before, now)).count();
    };
    constexpr Index queries = Query::config.queries, patch = Vision::config.patch;
    require_valid(options);
    const auto frame = s.frame();
    Caption result;
    result.prompt = processor.prompt_ids(options.prompt, queries);
    const auto words = std::span<const Token>(result.prompt).subspan(std::size_t(queries));

    // picture → pixels [3, H, W] → patches [P, 3·patch²]
    const auto pixels = preprocess(image, processor.preprocess);
    s.name("pixel_values", -1, View<const float, dyn, dyn>(pixels.data(), {3 * pixels.extent(1), pixels.extent(2)}));
    const Grid grid{pixels.extent(1) / patch, pixels.extent(2) / patch};
    const auto patches = s.rows<Vision::config.patch_pixels()>(grid.size());
    patchify(patches, pixels.view(), patch);
    result.seconds.preprocess = lap();

    const auto image_embeds = model.vision(patches, grid, s);  // [P + 1, Vision::width]
    result.seconds.vision = lap();

    const auto prompt = s.rows<Language::embedding_width>(static_cast<Index>(result.prompt.size()));
    const auto query_output = model.qformer(image_embeds, s);  // [Queries, Query::width]
    model.projection.into(prompt.slice(0, queries), query_output, s);
    s.name("language_projection", -1, prompt.slice(0, queries));
    model.language.embedding.into(prompt.slice(queries, prompt.extent(0) - queries), words, s);
    result.seconds.qformer = lap();

    DecodeStream stream(*processor.tokenizer, SkipSpecials::yes, OutOfVocabulary::skip);
    const auto emit = [&](std::string_view text) {
        if (!text.empty() && options.on_text) options.on_text(text);
    };
    result.tokens = greedy(model.language, prompt, result.prompt, processor.tokens.end, options, s, [&](Token id) {
        (result.seconds.prompt == 0 ? result.seconds.prompt : result.seconds.tokens) += lap();
        if (!processor.is_end(id)) emit(stream.push(id));
        return true;
    });
    emit(stream.flush());
    result.text = processor.text(result.tokens);
    return result;
}
template <class Model>
Caption caption(const Pipeline<Model>& blip2, const Image& image, const GenerateOptions& options, Scratch& s) {
    return caption(blip2.model, blip2.processor, image, options, s);
}

/// Only the text, with a scratch of its own: `caption(load<Blip2Opt2_7b>(folder), read_image("cat.jpg"))`.
template <class Model>
std::string caption(const Pipeline<Model>& blip2, const Image& image, const GenerateOptions& options = {}) {
    Scratch s;
    return caption(blip2, image, options, s).text;
}

}  // namespace tessera::inline TESSERA_ISA
