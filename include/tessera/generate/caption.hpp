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

/// Describes `image`, or answers the question in `options.prompt`.
/// errors  Errc::option_value, Errc::sequence_length, Errc::text_encoding for a prompt that is not UTF-8
/// cost    blip2-opt-2.7b: 0.55 Tflop for the picture, then one pass over the language model's weights per token
template <class Vision, class Query, class Decoder>
Caption caption(const Blip2<Vision, Query, Decoder>& model, const Image& image, const GenerateOptions& options,
                Scratch& s) {
    using Clock = std::chrono::steady_clock;
    auto before = Clock::now();
    const auto lap = [&before] {
        const auto now = Clock::now();
        return std::chrono::duration<double>(now - std::exchange(before, now)).count();
    };
    constexpr Index queries = Query::config.queries, patch = Vision::config.patch;
    check(options);
    const auto frame = s.frame();
    Caption result;

    // What the language model reads: a placeholder per query, the beginning, the prompt.
    result.prompt.assign(std::size_t(queries), model.tokens.image);
    if (options.prompt.empty()) {
        result.prompt.push_back(model.tokens.begin);
    } else {
        const auto ids = model.tokenizer->encode(options.prompt);
        result.prompt.insert(result.prompt.end(), ids.begin(), ids.end());
    }
    const auto words = std::span<const Token>(result.prompt).subspan(std::size_t(queries));

    // picture → pixels [3, H, W] → patches [P, 3·patch²]
    const auto pixels = preprocess(image, model.preprocess);
    s.name("pixel_values", -1, View<const float, dyn, dyn>(pixels.data(), {3 * pixels.extent(1), pixels.extent(2)}));
    const Grid grid{pixels.extent(1) / patch, pixels.extent(2) / patch};
    auto cut = s.rows<Vision::config.patch_pixels()>(grid.size());
    patches(cut, pixels.view(), patch);
    result.seconds.preprocess = lap();

    const auto seen = model.vision(cut, grid, s);  // [P + 1, Vision::width]
    result.seconds.vision = lap();

    const auto prompt = s.rows<Decoder::embedding_width>(static_cast<Index>(result.prompt.size()));
    const auto said = model.qformer(seen, s);  // [Queries, Query::width]
    model.projection.into(prompt.slice(0, queries), said, s);
    s.name("language_projection", -1, prompt.slice(0, queries));
    model.decoder.embedding.into(prompt.slice(queries, prompt.extent(0) - queries), words, s);
    result.seconds.qformer = lap();

    DecodeStream stream(*model.tokenizer, SkipSpecials::yes, OutOfVocabulary::skip);
    const auto tell = [&](std::string_view text) {
        if (!text.empty() && options.on_text) options.on_text(text);
    };
    const auto is_end = [&](Token id) { return std::ranges::find(model.tokens.end, id) != model.tokens.end.end(); };
    result.tokens = greedy(model.decoder, prompt, result.prompt, model.tokens.end, options, s, [&](Token id) {
        (result.seconds.prompt == 0 ? result.seconds.prompt : result.seconds.tokens) += lap();
        if (!is_end(id)) tell(stream.push(id));
        return true;
    });
    tell(stream.flush());
    result.text = model.tokenizer->decode(result.tokens, SkipSpecials::yes, OutOfVocabulary::skip);
    const auto first = result.text.find_first_not_of(" \t\r\n");
    result.text = first == std::string::npos
                      ? std::string()
                      : result.text.substr(first, result.text.find_last_not_of(" \t\r\n") - first + 1);
    return result;
}

/// The same with a scratch of its own.
template <class Vision, class Query, class Decoder>
std::string caption(const Blip2<Vision, Query, Decoder>& model, const Image& image,
                    const GenerateOptions& options = {}) {
    Scratch s;
    return caption(model, image, options, s).text;
}

}  // namespace tessera::inline TESSERA_ISA
