// From pictures to text.
#pragma once
#include <chrono>
#include <tessera/generate/generate.hpp>
#include <tessera/generate/image_patches.hpp>
#include <tessera/model/blip2/blip2.hpp>

namespace tessera::inline TESSERA_ISA {

/// The best text for a picture and a prompt, and how long each part took.
struct Caption : Generation {
    std::vector<Generation> others = {};  // of n_best, those after the best
    std::vector<Token> prompt = {};       // what the language model read before: placeholders, beginning, prompt
    struct Seconds {
        double preprocess = 0, vision = 0, qformer = 0, prompt = 0, tokens = 0;
    } seconds = {};  // `prompt`: up to the first tokens; `tokens`: all others; both of the whole batch
};

/// Prints the text.
template <class Stream>
auto operator<<(Stream& out, const Caption& caption) -> decltype(out << caption.text) {
    return out << caption.text;
}

namespace detail {

class Stopwatch {
  public:
    /// Seconds since the last call.
    double lap() {
        const auto now = std::chrono::steady_clock::now();
        return std::chrono::duration<double>(now - std::exchange(before_, now)).count();
    }

  private:
    std::chrono::steady_clock::time_point before_ = std::chrono::steady_clock::now();
};

/// picture → pixels [3, H, W] → patches [P, 3·patch²] → image_embeds [P + 1, D] → what the language model reads [Q, E]
template <class Vision, class Query, class Language>
void read_picture(Rows<Language::embedding_width> soft, const Blip2<Vision, Query, Language>& model,
                  const Preprocess& settings, const Image& image, Caption::Seconds& seconds, Scratch& s) {
    const auto frame = s.frame();
    Stopwatch watch;
    const ImagePatches<Vision> patches(image, settings, s);
    seconds.preprocess = watch.lap();
    const auto image_embeds = model.vision(patches.rows, patches.grid, s);
    seconds.vision = watch.lap();
    const auto query_output = model.qformer(image_embeds, s);  // [Q, Query::width]
    model.projection.into(soft, query_output, s);
    s.name("language_projection", -1, soft);
    seconds.qformer = watch.lap();
}

/// The text of generated tokens, without end, stop string and surrounding blanks.
inline std::string text_of(const Generation& generation, const Tokenizer& tokenizer,
                           std::span<const std::string> stops) {
    std::string text = tokenizer.decode(generation.tokens, SkipSpecials::yes, OutOfVocabulary::skip);
    if (generation.finish == Finish::stop_string) cut_at_stop(text, stops);
    text.resize(text.find_last_not_of(" \t\r\n") + 1);
    text.erase(0, text.find_first_not_of(" \t\r\n"));
    return text;
}

/// The prompts of a batch of pictures: those of the list, or else that of the options.
/// errors  Errc::option_value where their number does not suit that of the pictures, or an option is not valid
inline std::span<const std::string> prompts_of(std::span<const Image> images, std::span<const std::string> prompts,
                                               const GenerateOptions& options) {
    require_valid(options);
    if (!prompts.empty() && !options.prompt.empty())
        throw Error(Errc::option_value, "prompt: expected none beside a list of ", prompts.size(), " prompts");
    const std::span<const std::string> texts = prompts.empty() ? std::span(&options.prompt, 1) : prompts;
    if (images.size() != texts.size() && images.size() != 1 && texts.size() != 1)
        throw Error(Errc::option_value, "prompts: expected one, or one for each of ", images.size(),
                    " pictures, found ", texts.size());
    return texts;
}

/// What follows each of `prompts`, told to options.on_text as it comes; the caller adds the prompts.
template <LanguageModel Language>
std::vector<Caption> write(const Language& language, std::span<const Prompt<Language::embedding_width>> prompts,
                           const Tokenizer& tokenizer, std::span<const Token> ends, const GenerateOptions& options,
                           Scratch& s) {
    std::vector<Caption> out(prompts.size());
    std::vector<TextStream> streams(prompts.size(), TextStream(tokenizer, options.stop_strings));
    Stopwatch watch;
    Caption::Seconds seconds;
    GenerateHooks hooks{.tokenizer = &tokenizer,
                        .on_step = [&] { (seconds.prompt == 0 ? seconds.prompt : seconds.tokens) += watch.lap(); }};
    if (options.on_text)
        hooks.on_token = [&](Index text, Token token, std::optional<Finish> last) {
            TextStream& stream = streams[static_cast<std::size_t>(text)];
            std::string piece = std::ranges::find(ends, token) != ends.end() ? "" : stream.push(token);
            if (last) piece += stream.flush(*last == Finish::stop_string);
            return options.on_text(text, piece);
        };
    auto found = generate(language, prompts, options, ends, s, hooks);
    const bool streamed = options.beams == 1 && options.n_best == 1;
    for (std::size_t i = 0; i < out.size(); ++i) {
        for (Generation& generation : found[i]) generation.text = text_of(generation, tokenizer, options.stop_strings);
        static_cast<Generation&>(out[i]) = std::move(found[i].front());
        out[i].others.assign(std::make_move_iterator(found[i].begin() + 1), std::make_move_iterator(found[i].end()));
        out[i].seconds = seconds;
        if (options.on_text && !streamed) options.on_text(static_cast<Index>(i), out[i].text);
    }
    return out;
}

}  // namespace detail

/// Describes pictures, or answers the questions in prompts, all in one batch: picture i with prompt i; or one picture with
/// every prompt, or every picture with one prompt (`options.prompt`, if there is none here). A picture is looked at once
/// however many prompts it has. Model and processor may serve many threads at once, each with a scratch of its own.
/// errors  Errc::option_value, Errc::sequence_length; Errc::text_encoding for a prompt that is not UTF-8
/// cost    blip2-opt-2.7b: 0.55 Tflop for a picture, then one pass over the language model's weights per token, for all texts
///         together; a cache of 0.66 MB for each token and beam of a text
template <class Vision, class Query, class Language>
std::vector<Caption> captions(const Blip2<Vision, Query, Language>& model, const Blip2Processor& processor,
                              std::span<const Image> images, std::span<const std::string> prompts,
                              const GenerateOptions& options, Scratch& s) {
    constexpr Index queries = Query::config.queries, width = Language::embedding_width;
    const std::span<const std::string> texts = detail::prompts_of(images, prompts, options);
    std::vector<Caption> out(images.empty() ? 0 : std::max(images.size(), texts.size()));
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i].prompt = processor.prompt_ids(texts[texts.size() == 1 ? 0 : i], queries);

    const auto frame = s.frame();
    const auto soft = s.rows<width>(queries * static_cast<Index>(images.size()));
    for (std::size_t i = 0; i < images.size(); ++i)
        detail::read_picture(soft.slice(static_cast<Index>(i) * queries, queries), model, processor.preprocess,
                             images[i], out[i].seconds, s);
    std::vector<Prompt<width>> begin;
    for (std::size_t i = 0; i < out.size(); ++i)
        begin.push_back({soft.slice(images.size() == 1 ? 0 : static_cast<Index>(i) * queries, queries), out[i].prompt});
    auto written = detail::write(model.language, begin, *processor.tokenizer, processor.tokens.end, options, s);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const Caption::Seconds& seen = out[images.size() == 1 ? 0 : i].seconds;
        written[i].seconds.preprocess = seen.preprocess;
        written[i].seconds.vision = seen.vision;
        written[i].seconds.qformer = seen.qformer;
        written[i].prompt = std::move(out[i].prompt);
    }
    return written;
}
template <class Model>
std::vector<Caption> captions(const Pipeline<Model>& blip2, std::span<const Image> images,
                              std::span<const std::string> prompts, const GenerateOptions& options, Scratch& s) {
    return captions(blip2.model, blip2.processor, images, prompts, options, s);
}

/// One picture with one prompt: `caption(load<Blip2Opt2_7b>(folder), read_image("cat.jpg"))`.
template <class Model>
Caption caption(const Pipeline<Model>& blip2, const Image& image, const GenerateOptions& options, Scratch& s) {
    return std::move(captions(blip2, {&image, 1}, {}, options, s).front());
}
/// With a scratch of its own.
template <class Model>
Caption caption(const Pipeline<Model>& blip2, const Image& image, const GenerateOptions& options = {}) {
    Scratch s;
    return caption(blip2, image, options, s);
}

}  // namespace tessera::inline TESSERA_ISA
