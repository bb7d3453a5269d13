#include <cstdio>
#include <iostream>
#include <iterator>
#include <tessera/checkpoint/dump.hpp>
#include <tessera/core/json.hpp>
#include <tessera/generate/caption.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <tessera/image/decode_webp.hpp>
#include <tessera/kernel/parallel.hpp>

#include "commands.hpp"
#include "models.hpp"
#include "progress.hpp"

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

// A file, or "-": standard input.
Image read_picture(const std::string& picture, const CaptionCommand& command) {
    const DecodeOptions options{
        .transparency = command.transparency == "white" ? Transparency::white : Transparency::drop,
        .turn_upright = command.turn,
        .decoders = {decode_exact, decode_webp}};
    if (picture != "-") return read_image(picture, options);
    const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
    return decode_image({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, "standard input",
                        options);
}

// Describes all pictures that can be read, and returns how many cannot.
template <class Model>
int describe(const Pipeline<Model>& blip2, const CaptionCommand& command) {
    Dump dump;
    Scratch plain, recording(dump);
    Scratch& s = command.dump.empty() ? plain : recording;
    const bool streams = !command.json && command.pictures.size() == 1;
    int failures = 0;
    for (const std::string& picture : command.pictures) {
        GenerateOptions options = command.generate;
        if (streams)
            options.on_text = [started = false](std::string_view text) mutable {
                if (!started) text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
                started = started || !text.empty();
                std::cout << text << std::flush;
            };
        Image image;
        try {
            image = read_picture(picture, command);
        } catch (const Error& error) {
            std::cerr << "tessera: " << error.what() << '\n';
            ++failures;
            continue;
        }
        const Caption result = caption(blip2, image, options, s);
        if (command.json)
            std::cout << to_json(picture, result).dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
        else if (streams)
            std::cout << std::endl;
        else
            std::cout << picture << ": " << result.text << std::endl;
        if (!std::cout) break;  // main says so
    }
    if (!command.dump.empty()) dump.write(command.dump);
    return failures;
}

}  // namespace

int run(const CaptionCommand& command) {
    if (command.threads > 0) kernel::set_threads(command.threads);
    require_valid(command.generate);
    if (command.pictures.size() == 1 && command.pictures[0] != "-")
        MappedFile opened(command.pictures[0]);  // before minutes of loading
    const ModelConfig config(resolve_model(command.model));
    int failures = 0;
    std::string names, nearest;
    std::size_t fewest = std::string::npos;
    const bool done = any_model(program::models, [&]<class Model>(const Compiled<Model>& compiled) {
        names += (names.empty() ? "" : ", ") + std::string(compiled.name);
        const std::size_t count = mismatches<Model>(config).size();
        if (count < fewest) fewest = count, nearest = compiled.name + (", but " + mismatch<Model>(config));
        if (count > 0) return false;
        LoadOptions options{.warn = [](const std::string& warning) { std::cerr << "tessera: " << warning << '\n'; }};
        if (!command.weights.empty()) options.weight_dtype = command.weights == "bf16" ? DType::bf16 : DType::f32;
        const auto blip2 = [&] {
            program::ProgressBar bar;
            options.progress = std::ref(bar);
            return load<Model>(config, options);
        }();
        failures = describe(blip2, command);
        return true;
    });
    if (!done && config.model_type != "blip-2")
        throw Error(Errc::config_unsupported, config.file.string(), ": captions need BLIP-2, found model_type ",
                    in_quotes(config.model_type));
    if (!done)
        throw Error(Errc::config_unsupported, config.file.string(), ": no compiled model has these shapes: of ", names,
                    " the nearest is ", nearest,
                    " (`tessera info` prints what a line in examples/tessera/models.hpp needs to add them)");
    return failures == 0 ? 0 : 1;
}
