// tessera: describes pictures with BLIP-2, from the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <tessera/core/error.hpp>
#include <tessera/version.hpp>

#include "commands.hpp"
#include "pack.hpp"
#include "weights.hpp"

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
    const auto takes_text = [](std::string_view option) {
        return option == "--prompt" || option == "--question" || option == "--text";
    };
    std::vector<std::string> out;
    for (int i = argc; --i > 0;) {
        const std::string argument = argv[i];
        const bool bracketed = argument.starts_with('[') && argument.ends_with(']');
        if (argument.ends_with('=') && takes_text(std::string_view(argument).substr(0, argument.size() - 1)))
            out.insert(out.end(), {"", argument.substr(0, argument.size() - 1)});
        else if (bracketed && !takes_text(argv[i - 1]))
            out.push_back("./" + argument);
        else
            out.push_back(argument);
    }
    return out;
}

void add_model(CLI::App& app, program::ModelOptions& model) {
    app.add_option("--model", model.folder, "A checkpoint folder, or the name of one in the Hugging Face cache")
        ->type_name("DIR");
    app.add_option("--vision", model.parts.vision,
                   "Instead of --model: the image encoder, a folder or a file of weights");
    app.add_option("--qformer", model.parts.qformer, "The Q-Former with what was trained with it");
    app.add_option("--language", model.parts.language, "The language model, a folder");
    app.add_option("--tokenizer", model.parts.tokenizer,
                   "A folder with tokenizer files; default: that of the language model");
    app.add_option("--shape", model.shape,
                   "What the parts are put together to: the name of a compiled model, as lavis-opt-2.7b");
    app.add_option("--weights", model.weights, "How weights are kept in memory; default: as the files have them")
        ->check(CLI::IsMember(program::weight_words));
    app.add_option("--products", model.products,
                   "Arithmetic with weights kept as bf16: bf16 rounds what they are multiplied by, and is faster where "
                   "the processor has it; default: f32")
        ->check(CLI::IsMember({"f32", "bf16"}));
    app.add_option("--threads", model.threads, "Default: one for each core")->check(CLI::Range(1, 1024));
}

void add_pictures(CLI::App& app, program::PictureOptions& pictures, const char* what) {
    app.add_option("PICTURE", pictures.names, what);
    app.add_option("--list", pictures.list, "A file with the name of a picture in each line; - is standard input")
        ->type_name("FILE");
    app.add_flag_callback(
        "--ignore-orientation", [&pictures] { pictures.turn = false; }, "Do not turn pictures as their EXIF data says");
    app.add_option("--transparency", pictures.transparency,
                   "What transparent pixels show: the colour under it, or white")
        ->check(CLI::IsMember({"drop", "white"}));
}
constexpr const char* picture_files = "PNG, JPEG, WebP, GIF, BMP, TGA, PPM or PGM files; - is standard input";

void add_style(CLI::App& app, std::string& style) {
    app.add_option("--style", style,
                   "The published defaults of transformers or of LAVIS, where options do not say otherwise")
        ->check(CLI::IsMember({"transformers", "lavis"}));
}

// How text is generated. What is not said stays as the style has it.
void add_search(CLI::App& app, CaptionCommand& command) {
    using Options = tessera::GenerateOptions;
    const auto add = [&]<class Value>(const char* name, Value Options::*member, const char* help) {
        return app.add_option_function<Value>(
            name,
            [&command, member](const Value& value) {
                command.settings.push_back([member, value](Options& options) { options.*member = value; });
            },
            help);
    };
    add_style(app, command.style);
    add("--max-tokens", &Options::max_tokens, "New tokens at most; default: 30")->check(CLI::Range(1, 100000));
    add("--min-tokens", &Options::min_tokens, "New tokens at least")->check(CLI::Range(0, 100000));
    add("--beams", &Options::beams, "Texts that are followed at once; default: 1")->check(CLI::Range(1, 1000));
    add("--n-best", &Options::n_best, "How many texts to print, the best first")->check(CLI::Range(1, 1000));
    add("--length-penalty", &Options::length_penalty, "Of beams: above 0 longer texts win")
        ->check(CLI::Range(-100.0, 100.0));
    app.add_option_function<std::string>(
           "--early-stopping",
           [&command](const std::string& when) {
               const auto value = when == "yes"  ? tessera::EarlyStopping::yes
                                  : when == "no" ? tessera::EarlyStopping::no
                                                 : tessera::EarlyStopping::never;
               command.settings.push_back([value](Options& options) { options.early_stopping = value; });
           },
           "When beam search ends")
        ->check(CLI::IsMember({"no", "yes", "never"}));
    app.add_flag_callback(
        "--sample",
        [&command] { command.settings.push_back([](Options& options) { options.sample = true, options.beams = 1; }); },
        "Draw each token by chance");
    add("--seed", &Options::seed, "Of --sample: the same seed gives the same text");
    add("--temperature", &Options::temperature, "Of --sample: above 1 more chance");
    add("--top-k", &Options::top_k, "Of --sample: draw from the k most likely tokens");
    add("--top-p", &Options::top_p,
        "Of --sample: draw from the most likely tokens that are together as likely as that");
    add("--min-p", &Options::min_p,
        "Of --sample: draw from tokens at least that share as likely as the most likely one");
    app.add_option_function<std::string>(
           "--cache",
           [&command](const std::string& word) {
               command.settings.push_back(
                   [type = program::weights_named(word)](Options& options) { options.cache = type; });
           },
           "How keys and values of the text are kept: bf16 takes half the memory; default: f32")
        ->check(CLI::IsMember({"f32", "bf16"}));
    add("--repetition-penalty", &Options::repetition_penalty, "Above 1: fewer repetitions")
        ->check(CLI::Range(0.01, 100.0));
    add("--no-repeat-ngram", &Options::no_repeat_ngram, "No sequence of so many tokens occurs twice")
        ->check(CLI::Range(0, 100000));
    add("--bad-word", &Options::bad_words, "A word that must not occur; may be given several times")
        ->allow_extra_args(false);
    add("--stop", &Options::stop_strings, "Text that ends the answer, and is cut off it; may be given several times")
        ->allow_extra_args(false);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Describes pictures, answers questions about them, and finds the pictures of a text, with BLIP-2 checkpoints "
        "as "
        "Hugging Face and LAVIS publish them.",
        "tessera");
    app.require_subcommand(1);
    app.set_version_flag("--version", "tessera " + std::to_string(TESSERA_VERSION_MAJOR) + '.' +
                                          std::to_string(TESSERA_VERSION_MINOR) + '.' +
                                          std::to_string(TESSERA_VERSION_PATCH));

    CaptionCommand caption;
    auto* caption_app = app.add_subcommand("caption", "Describe pictures");
    add_model(*caption_app, caption.model);

    auto* ask_app = app.add_subcommand("ask", "Answer questions about pictures");
    add_model(*ask_app, caption.model);
    ask_app->add_option("--question", caption.questions, "What is asked of each picture; may be given several times")
        ->required()
        ->allow_extra_args(false);
    for (CLI::App* each : {caption_app, ask_app}) {
        each->add_option_function<std::string>(
            "--prompt",
            [&caption](const std::string& prompt) {
                caption.settings.push_back([prompt](tessera::GenerateOptions& options) { options.prompt = prompt; });
            },
            each == ask_app ? "What {} stands for the question in; default: that of the paper for the language model"
                            : "What the text begins with: 'a photo of', 'Question: … Answer:'");
        add_search(*each, caption);
        add_pictures(*each, caption.pictures, picture_files);
        each->add_flag("--json", caption.json, "One JSON object for each text");
        each->add_option("--attention", caption.attention,
                         "Draw where in the picture each word comes from, to this PNG file; for one picture")
            ->type_name("FILE");
        each->add_option("--dump", caption.dump,
                         "Write every intermediate value of the last picture to this safetensors file")
            ->type_name("FILE");
    }

    MatchCommand match;
    auto* match_app = app.add_subcommand("match", "Say how well texts describe pictures");
    add_model(*match_app, match.model);
    match_app->add_option("--text", match.texts, "A text; may be given several times")
        ->required()
        ->allow_extra_args(false);
    add_pictures(*match_app, match.pictures, picture_files);
    match_app->add_flag("!--contrast-only", match.options.itm,
                        "Only the cosine (ITC), which is quick; no matching (ITM)");
    add_style(*match_app, match.style);
    match_app->add_option("--most-tokens", match.options.most_tokens, "Cut texts to so many tokens; 0: do not")
        ->check(CLI::Range(0, 512));
    match_app->add_flag("--json", match.json, "One JSON object for each picture");

    FeaturesCommand features;
    auto* features_app = app.add_subcommand("features", "Write the features of pictures and texts to a file");
    add_model(*features_app, features.model);
    features_app->add_option("--text", features.texts, "A text; may be given several times")->allow_extra_args(false);
    add_pictures(*features_app, features.pictures, "Picture files, or folders of them");
    add_style(*features_app, features.style);
    features_app->add_option("--out", features.out, "The safetensors file to write")->required()->type_name("FILE");

    SearchCommand search;
    auto* search_app =
        app.add_subcommand("search", "Find the pictures that a text describes, or that are like a picture");
    add_model(*search_app, search.model);
    add_pictures(*search_app, search.pictures,
                 "Pictures, or folders of them, to add to the index; they are computed once");
    search_app->add_option("--index", search.index, "The file that keeps the pictures' features")
        ->required()
        ->type_name("FILE");
    add_style(*search_app, search.style);
    search_app->add_option("--text", search.texts, "What is looked for")->expected(1)->allow_extra_args(false);
    search_app->add_option("--like", search.like, "A picture; those that are like it are looked for")
        ->type_name("PICTURE");
    search_app->add_option("--top", search.top, "How many to print")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    search_app->add_option("--rerank", search.rerank, "Match so many of the best with the text again (ITM)")
        ->check(CLI::Range(0, 1000000));
    search_app->add_flag("--json", search.json, "One JSON object for each picture");

    PackCommand pack;
    auto* pack_app =
        app.add_subcommand("pack", "Write weights as they lie in memory: loading them is mapping the file");
    pack_app->add_option("--model", pack.model, "A checkpoint folder, or the name of one in the Hugging Face cache")
        ->required()
        ->type_name("DIR");
    pack_app->add_option("--weights", pack.weights, "How weights are kept; default: as the files have them")
        ->check(CLI::IsMember(program::weight_words));
    pack_app->add_option("--out", pack.out, "The folder to write")->required()->type_name("DIR");

    AccuracyCommand accuracy;
    auto* accuracy_app =
        app.add_subcommand("accuracy", "Measure what fewer bits in the weights change: layers, scores, tokens");
    accuracy_app
        ->add_option("--model", accuracy.model, "A checkpoint folder, or the name of one in the Hugging Face cache")
        ->required()
        ->type_name("DIR");
    accuracy_app->add_option("--weights", accuracy.weights, "The weights to measure")
        ->check(CLI::IsMember(program::weight_words))
        ->capture_default_str();
    accuracy_app->add_option("--exact", accuracy.exact, "The weights to compare with")
        ->check(CLI::IsMember(program::weight_words))
        ->capture_default_str();
    accuracy_app->add_option("--prompt", accuracy.prompt, "What the text begins with");
    accuracy_app->add_option("--tokens", accuracy.tokens, "How many tokens of each picture")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    accuracy_app->add_flag("--json", accuracy.json, "One JSON object");
    add_pictures(*accuracy_app, accuracy.pictures, picture_files);

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

    PlotCommand plot;
    auto* plot_app = app.add_subcommand("plot", "Draw the curves of training logs");
    plot_app->add_option("LOG", plot.logs, "Logs of training runs; several are drawn together")->required();
    plot_app->add_option("--svg", plot.svg, "Write the curves to this file")->type_name("FILE");
    plot_app
        ->add_option("--only", plot.only, "Only this quantity, or those below it, as loss; may be given several times")
        ->allow_extra_args(false);

    TrainCommand train;
    auto* train_app =
        app.add_subcommand("train", "Train a stage of BLIP-2, or a language model, as a config file says");
    train_app->add_option("--config", train.config, "The JSON file")->required()->type_name("FILE");
    train_app->add_flag("--resume", train.resume, "Go on with the run in the folder that the config names");
    train_app->add_option("--threads", train.threads, "Default: one for each core")->check(CLI::Range(1, 1024));

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
        if (caption_app->parsed() || ask_app->parsed()) return finished(run(caption));
        if (match_app->parsed()) return finished(run(match));
        if (features_app->parsed()) return finished(run(features));
        if (search_app->parsed()) return finished(run(search));
        if (pack_app->parsed()) return finished(run(pack));
        if (accuracy_app->parsed()) return finished(run(accuracy));
        if (plot_app->parsed()) return finished(run(plot));
        if (train_app->parsed()) return finished(run(train));
        return finished(mask_app->parsed() ? run(mask) : run(info));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tessera: %s\n", error.what());
        return 1;
    }
}
