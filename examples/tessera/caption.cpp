#include <cstdio>
#include <iostream>
#include <optional>
#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/progress.hpp>
#include <tessera/core/json.hpp>
#include <tessera/generate/caption.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/read.hpp>
#include <tessera/kernel/parallel.hpp>

#include "commands.hpp"
#include "models.hpp"

namespace {

using namespace tessera;

Json to_json(const std::string& picture, const Caption& caption) {
    const auto& t = caption.seconds;
    return {{"picture", picture},
            {"text", caption.text},
            {"tokens", caption.tokens},
            {"prompt_tokens", caption.prompt},
            {"seconds",
             {{"preprocess", t.preprocess},
              {"vision", t.vision},
              {"qformer", t.qformer},
              {"prompt", t.prompt},
              {"tokens", t.tokens}}}};
}

template <class Model>
void describe(const Model& model, const CaptionCommand& command) {
    Dump dump;
    Scratch plain, recording(dump);
    Scratch& s = command.dump.empty() ? plain : recording;
    const bool streams = !command.json && command.pictures.size() == 1;
    GenerateOptions options = command.generate;
    if (streams)
        options.on_text = [started = false](std::string_view text) mutable {
            if (!started) text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
            started = started || !text.empty();
            std::cout << text << std::flush;
        };
    for (const std::string& picture : command.pictures) {
        const Image image = read_image(picture, {.turn_upright = command.turn});
        const Caption result = caption(model, image, options, s);
        if (command.json)
            std::cout << to_json(picture, result).dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
        else if (streams)
            std::cout << std::endl;
        else
            std::cout << picture << ": " << result.text << std::endl;
    }
    if (!command.dump.empty()) dump.write(command.dump);
}

}  // namespace

int run(const CaptionCommand& command) {
    if (command.threads > 0) kernel::set_threads(command.threads);
    check(command.generate);
    for (const std::string& picture : command.pictures) MappedFile opened(picture);  // before minutes of loading
    const Description description = read_description(resolve_model(command.model));
    if (description.architecture != Architecture::blip2 || !description.text)
        throw Error(Errc::config_unsupported, description.file.string(),
                    ": captions need BLIP-2 with a language model, found model_type '", description.model_type, '\'');
    std::string compiled;
    const bool done = program::for_each_model([&]<class Model>(program::Named<Model> candidate) {
        compiled += (compiled.empty() ? "" : ", ") + std::string(candidate.name);
        if (!fits<Model>(description)) return false;
        OpenOptions options{.warn = [](const std::string& warning) { std::cerr << "tessera: " << warning << '\n'; }};
        if (!command.weights.empty()) options.weights = command.weights == "bf16" ? DType::bf16 : DType::f32;
        const Model model = [&] {
            ProgressBar bar;
            options.progress = std::ref(bar);
            return load<Model>(description, options);
        }();
        describe(model, command);
        return true;
    });
    if (!done)
        throw Error(Errc::config_unsupported, description.file.string(),
                    ": no compiled model has these shapes; there are ", compiled,
                    "; a line in examples/tessera/models.hpp adds another");
    return 0;
}
