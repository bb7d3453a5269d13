// From a picture and a question to an answer.
#pragma once
#include <tessera/generate/caption.hpp>
#include <tessera/generate/style.hpp>

namespace tessera::inline TESSERA_ISA {

/// Answers questions about pictures: as `captions`, with each question put into `options.prompt` in the place of {}. Without
/// a prompt it is that of the paper for this language model: "Question: {} Answer:", or with T5 "Question: {} Short answer:".
/// errors  those of captions; Errc::option_value for a prompt without {}, or without questions
/// source  Li 2023 §4.1
template <class Model>
std::vector<Caption> answers(const Pipeline<Model>& blip2, std::span<const Image> images,
                             std::span<const std::string> questions, GenerateOptions options, Scratch& s) {
    static_assert(
        requires { &Model::language; },
        "answers: expected a BLIP-2 with a language model; the first stage only describes pictures");
    if (questions.empty()) throw Error(Errc::option_value, "questions: expected at least one, found none");
    if (options.prompt.empty()) options.prompt = style_defaults<Model>(Style::lavis).answer.prompt;
    const std::string form = std::exchange(options.prompt, {});
    const std::size_t place = form.find("{}");
    if (place == form.npos)
        throw Error(Errc::option_value, "prompt: expected {} in the place of the question, found ", in_quotes(form));
    std::vector<std::string> prompts;
    for (const std::string& question : questions)
        prompts.push_back(form.substr(0, place) + question + form.substr(place + 2));
    return captions(blip2, images, prompts, options, s);
}

/// One question: `answer(blip2, read_image("cat.jpg"), "what does the cat do?")`.
template <class Model>
Caption answer(const Pipeline<Model>& blip2, const Image& image, const std::string& question,
               const GenerateOptions& options, Scratch& s) {
    return std::move(answers(blip2, {&image, 1}, {&question, 1}, options, s).front());
}
/// With a scratch of its own.
template <class Model>
Caption answer(const Pipeline<Model>& blip2, const Image& image, const std::string& question,
               const GenerateOptions& options = {}) {
    Scratch s;
    return answer(blip2, image, question, options, s);
}

}  // namespace tessera::inline TESSERA_ISA
