// tessera: describes pictures with BLIP-2, from the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <tessera/core/error.hpp>
#include <tessera/version.hpp>

#include "commands.hpp"

namespace {

// Standard output as it is when all is written: a full disk is an error, not a short answer.
int finished(int code) {
    std::cout.flush();
    if (std::cout && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    std::fputs("tessera: [file.open] standard output: cannot be written\n", stderr);
    return 1;
}

// What CLI11 reads, last argument first. It would take the argument after `--prompt=` for the prompt, and a file [cat] for
// a list.
std::vector<std::string> arguments(int argc, char** argv) {
    std::vector<std::string> out;
    for (int i = argc; --i > 0;) {
        const std::string argument = argv[i];
        const bool bracketed = argument.starts_with('[') && argument.ends_with(']');
        if (argument == "--prompt=")
            out.insert(out.end(), {"", "--prompt"});
        else if (bracketed && argv[i - 1] != std::string_view("--prompt"))
            out.push_back("./" + argument);
        else
            out.push_back(argument);
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Describes pictures, and answers questions about them, with a BLIP-2 checkpoint from Hugging Face.",
                 "tessera");
    app.require_subcommand(1);
    app.set_version_flag("--version", "tessera " + std::to_string(TESSERA_VERSION_MAJOR) + '.' +
                                          std::to_string(TESSERA_VERSION_MINOR) + '.' +
                                          std::to_string(TESSERA_VERSION_PATCH));

    CaptionCommand caption;
    auto* caption_app = app.add_subcommand("caption", "Describe pictures, or answer a question about them");
    caption_app
        ->add_option("--model", caption.model, "A checkpoint folder, or the name of one in the Hugging Face cache")
        ->required()
        ->type_name("DIR");
    caption_app->add_option("--prompt", caption.generate.prompt,
                            "What the text begins with: 'a photo of', 'Question: … Answer:'");
    caption_app->add_option("--max-tokens", caption.generate.max_tokens, "New tokens at most")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    caption_app->add_option("--min-tokens", caption.generate.min_tokens, "New tokens at least")
        ->check(CLI::Range(0, 100000));
    caption_app->add_option("--repetition-penalty", caption.generate.repetition_penalty, "Above 1: fewer repetitions")
        ->check(CLI::Range(0.01, 100.0))
        ->capture_default_str();
    caption_app
        ->add_option("--weights", caption.weights, "How weights are kept in memory; default: as the files have them")
        ->check(CLI::IsMember({"f32", "bf16"}));
    caption_app->add_option("--threads", caption.threads, "Default: one for each core")->check(CLI::Range(1, 1024));
    caption_app->add_flag("--json", caption.json, "One JSON object for each picture");
    caption_app->add_flag("!--ignore-orientation", caption.turn, "Do not turn pictures as their EXIF data says");
    caption_app
        ->add_option("--transparency", caption.transparency,
                     "What transparent pixels show: the colour under it, or white")
        ->check(CLI::IsMember({"drop", "white"}))
        ->capture_default_str();
    caption_app
        ->add_option("--dump", caption.dump,
                     "Write every intermediate value of the last picture to this safetensors file")
        ->type_name("FILE");
    caption_app
        ->add_option("PICTURE", caption.pictures,
                     "PNG, JPEG, WebP, GIF, BMP, TGA, PPM or PGM files; - is standard input")
        ->required();

    InfoCommand info;
    auto* info_app = app.add_subcommand("info", "Say what a checkpoint is and what it needs");
    info_app->add_option("--model", info.model, "A checkpoint folder, or the name of one in the Hugging Face cache")
        ->required()
        ->type_name("DIR");
    info_app->add_flag("--json", info.json, "One JSON object");
    info_app->add_flag("--tensors", info.tensors, "List every tensor");

    MaskCommand mask;
    auto* mask_app = app.add_subcommand("mask", "Draw an attention mask, and say what it should cost");
    auto* what = mask_app->add_option_group("what");
    what->add_option("MASK", mask.mask, "An expression, such as 'prefix 32 | causal'");
    what->add_flag("--list", mask.list, "List the words that masks are made of");
    what->require_option(1);
    const CLI::Range length(1, 16384);
    mask_app->add_option("--queries", mask.queries, "How many queries")->check(length)->capture_default_str();
    mask_app->add_option("--keys", mask.keys, "How many keys; default: as many as queries")->check(length);
    mask_app->add_option("--heads", mask.drawing.heads, "Draw so many heads, not all")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    std::vector<tessera::Index> tile;
    mask_app->add_option("--tile", tile, "Queries and keys of the tiles by which cost is told; default: 32 32")
        ->check(length)
        ->expected(2)
        ->type_name("QUERIES KEYS");
    mask_app->add_option("--png", mask.png, "Write a picture to this file")->type_name("FILE");
    mask_app->add_option("--svg", mask.svg, "Write a scalable picture to this file")->type_name("FILE");
    mask_app->add_flag("--json", mask.json, "One JSON object instead of a drawing");

    try {
        app.parse(arguments(argc, argv));
    } catch (const CLI::Success& help_or_version) {
        return finished(app.exit(help_or_version));
    } catch (const CLI::ParseError& error) {
        app.exit(error);
        return 2;
    }
    if (!tile.empty()) mask.drawing.tile_queries = tile[0], mask.drawing.tile_keys = tile[1];
    try {
        return finished(mask_app->parsed() ? run(mask) : caption_app->parsed() ? run(caption) : run(info));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tessera: %s\n", error.what());
        return 1;
    }
}
