// Describing pictures and answering questions about them, whatever the language model is.
#pragma once
#include <algorithm>
#include <iostream>
#include <tessera/checkpoint/dump.hpp>
#include <tessera/generate/answer.hpp>
#include <tessera/generate/attention_map.hpp>
#include <tessera/generate/style.hpp>
#include <tessera/image/write.hpp>
#include <tessera/text/caption_text.hpp>

#include "commands.hpp"
#include "json_line.hpp"
#include "load.hpp"

namespace program {

inline tessera::Json to_json(const std::string& picture, const std::string& question, const tessera::Caption& caption) {
    using namespace tessera;
    const auto& t = caption.seconds;
    Json out = {{"picture", picture},
                {"text", caption.text},
                {"tokens", caption.tokens},
                {"prompt_tokens", caption.prompt},
                {"score", caption.score},
                {"seconds",
                 {{"preprocess", t.preprocess},
                  {"vision", t.vision},
                  {"qformer", t.qformer},
                  {"prompt", t.prompt},
                  {"tokens", t.tokens}}}};
    if (!question.empty()) out["question"] = question;
    for (const Generation& other : caption.others)
        out["others"].push_back({{"text", other.text}, {"tokens", other.tokens}, {"score", other.score}});
    return out;
}

inline void show(const std::string& label, const tessera::Caption& caption) {
    std::cout << label << caption.text << '\n';
    for (const tessera::Generation& other : caption.others) std::cout << label << other.text << '\n';
    std::cout.flush();
}

/// The style's defaults, and what was asked for on top of them.
template <class Model>
tessera::GenerateOptions generate_options(const CaptionCommand& command) {
    using namespace tessera;
    GenerateOptions options;
    if (!command.style.empty()) {
        const StyleDefaults style = style_defaults<Model>(style_named(command.style));
        options = command.questions.empty() ? style.caption : style.answer;
    }
    for (const auto& set : command.settings) set(options);
    require_valid(options);
    return options;
}

/// Describes all of `images`, or answers all of `questions`, where there are some and the model can.
template <class Model>
std::vector<tessera::Caption> write(const tessera::Pipeline<Model>& blip2, std::span<const tessera::Image> images,
                                    std::span<const std::string> questions, const tessera::GenerateOptions& options,
                                    tessera::Scratch& s) {
    if constexpr (requires { &Model::language; })
        if (!questions.empty()) return answers(blip2, images, questions, options, s);
    return captions(blip2, images, {}, options, s);
}

/// Loads the model, describes all pictures that can be read, or answers the questions about them; returns how many cannot be
/// read.
template <class Model>
int describe(const Choice& choice, CaptionCommand command) {
    using namespace tessera;
    const GenerateOptions generate = generate_options<Model>(command);
    const std::vector<std::string> names = picture_names(command.pictures);
    expect_single_opens(names);
    if (!command.attention.empty() &&
        (names.size() > 1 || command.questions.size() > 1 || generate.beams > 1 || generate.n_best > 1))
        throw Error(Errc::option_value, "--attention: expected one picture, one question and one text, found ",
                    names.size(), ", ", std::max<std::size_t>(command.questions.size(), 1), " and ",
                    std::max(generate.beams, generate.n_best));
    auto blip2 = load_model<Model>(choice, command.model);
    if (!command.style.empty()) {
        const StyleDefaults defaults = style_defaults<Model>(style_named(command.style));
        apply_style(blip2, defaults);
        apply(defaults, command.pictures);
        if (defaults.simplifies_questions)
            for (std::string& question : command.questions) question = question_text(question);
    }
    Dump dump;
    AttentionMap map(std::get<QFormerConfig>(Model::configs).queries);
    Scratch plain, recording(dump), listening(map);
    Scratch& s = !command.dump.empty() ? recording : !command.attention.empty() ? listening : plain;
    set_products(s, blip2.model, command.model);
    const bool questions = !command.questions.empty();
    const bool streams = !command.json && names.size() == 1 && command.questions.size() < 2 && generate.n_best == 1;
    // Several pictures share each pass over the language model's weights.
    const std::size_t together = streams || questions || !command.dump.empty() || !command.attention.empty() ? 1 : 8;

    const auto describe_some = [&](const std::vector<std::string>& some, const std::vector<Image>& images) {
        GenerateOptions options = generate;
        if (streams)
            options.on_text = [started = false](std::string_view text) mutable {
                if (!started) text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
                started = started || !text.empty();
                std::cout << text << std::flush;
            };
        const std::vector<Caption> found = write(blip2, images, command.questions, options, s);
        for (std::size_t i = 0; i < found.size(); ++i) {
            const std::string& name = some[questions ? 0 : i];
            const std::string question = questions ? command.questions[i] : "";
            if (command.json)
                print(to_json(name, question, found[i]));
            else if (streams)
                std::cout << std::endl;
            else
                show((names.size() > 1 ? name + ": " : "") + (command.questions.size() > 1 ? question + ' ' : ""),
                     found[i]);
        }
        if (!command.attention.empty())
            write_png(command.attention, map.draw(images[0], *blip2.processor.tokenizer, found[0].tokens));
    };
    const int failures = for_each_batch(names, command.pictures, !streams, together, describe_some);
    if (!command.dump.empty()) dump.write(command.dump);
    return failures;
}

/// Whether the checkpoint is one of the family's compiled models, and then how many pictures could not be read. Each is
/// compiled in a file of its own.
bool caption_opt(const CaptionCommand& command, Choice& choice, int& failures);
bool caption_t5(const CaptionCommand& command, Choice& choice, int& failures);
bool caption_stage1(const CaptionCommand& command, Choice& choice, int& failures);

}  // namespace program
