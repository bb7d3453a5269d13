// Writes the world of scenes into a folder: pictures with captions, questions, texts for language models, and for each model the
// files that lie beside its weights.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <tessera/core/output_file.hpp>
#include <tessera/image/write.hpp>
#include <tessera/text/read/tokenizer.hpp>

#include "settings.hpp"
#include "text.hpp"

namespace scenes {
namespace {

struct Options {
    std::filesystem::path out;
    std::uint64_t seed = 1;
    Index train = 2000, held_out = 512, documents = 20000, single = 20;
};

/// Writes one JSON object a line.
void write_lines(const std::filesystem::path& path, Index count, auto&& line) {
    tessera::OutputFile file(path);
    for (Index i = 0; i < count; ++i) file.write(line(i).dump() + '\n');
    file.commit();
}

/// `train.jsonl` with pictures/train/00000.png …; `image_id` is the number of the description, for soft targets.
void write_pictures(const Options& options, Split split, Index count) {
    const std::string name(split_names[static_cast<std::size_t>(split)]);
    const std::filesystem::path pictures = std::filesystem::path("pictures") / name;
    std::filesystem::create_directories(options.out / pictures);
    const auto picture_of = [&](Index i) {
        const std::string digits = std::to_string(i);
        return (pictures / (std::string(5 - std::min<std::size_t>(digits.size(), 5), '0') + digits + ".png")).string();
    };
    write_lines(options.out / (name + ".jsonl"), count, [&](Index i) {
        const Example shown = example(options.seed, split, i, options.single);
        tessera::write_png(options.out / picture_of(i), shown.image);
        return Json{{"image", picture_of(i)}, {"caption", caption(shown.scene)}, {"image_id", number_of(shown.scene)}};
    });
    if (split == Split::train) return;
    write_lines(options.out / (name + "_questions.jsonl"), count, [&](Index i) {
        Random random(options.seed + 1, static_cast<std::uint64_t>(i));
        std::vector<Question> all = questions(example(options.seed, split, i, options.single).scene, random);
        const Question& asked = all[static_cast<std::size_t>(random.below(static_cast<Index>(all.size())))];
        return Json{{"image", picture_of(i)}, {"question", asked.question}, {"answer", asked.answer}};
    });
}

/// `corpus.jsonl`: documents as an OPT reads them. Its soft prompts will stand where the context is, before `</s>`.
void write_corpus(const Options& options) {
    write_lines(options.out / "corpus.jsonl", options.documents, [&](Index i) {
        Random random(options.seed + 2, static_cast<std::uint64_t>(i));
        const Document document = draw_document(draw_scene(random, Split::train), random);
        return Json{{"text", opt_text(document)}};
    });
}

/// `tokens.jsonl`: the ids that each tokenizer gives to a text, for compare.py.
void write_tokens(const Options& options) {
    constexpr Index texts = 50;
    const std::array<std::string, 3> models{"blip2_itm", "blip2_opt", "blip2_t5"};
    write_lines(options.out / "tokens.jsonl", texts * static_cast<Index>(models.size()), [&](Index i) {
        const std::string& model = models[static_cast<std::size_t>(i / texts)];
        Random random(options.seed + 3, static_cast<std::uint64_t>(i % texts));
        const Scene scene = draw_scene(random, Split::pair);
        const Question asked = questions(scene, random).back();
        const std::array<std::string, 5> kinds{caption(scene), caption(scene) + '\n', notes(scene, random),
                                               "Question: " + asked.question + " Answer: " + asked.answer,
                                               "Question: " + asked.question + " Short answer:"};
        const std::string& text = kinds[static_cast<std::size_t>(i) % kinds.size()];
        return Json{{"model", model},
                    {"text", text},
                    {"ids", tessera::read_tokenizer(options.out / "models" / model)->encode(text)}};
    });
}

void write(const Options& options) {
    if (std::filesystem::exists(options.out) && !std::filesystem::is_empty(options.out))
        throw tessera::Error(tessera::Errc::option_value, "--out: expected a new or an empty folder, found files in ",
                             options.out.string());
    std::filesystem::create_directories(options.out);
    write_pictures(options, Split::train, options.train);
    for (const Split split : {Split::validation, Split::test, Split::pair})
        write_pictures(options, split, options.held_out);
    write_corpus(options);
    for (const auto& [model, files] : model_folders()) {
        std::filesystem::create_directories(options.out / "models" / model);
        for (const auto& [name, content] : files) tessera::replace_file(options.out / "models" / model / name, content);
    }
    write_tokens(options);
    std::cout << options.out.string() << ": " << options.train << " pictures to train with, 3 × " << options.held_out
              << " held out, " << options.documents << " documents, " << model_folders().size() << " models\n";
}

}  // namespace
}  // namespace scenes

int main(int argc, char** argv) {
    scenes::Options options;
    CLI::App app{"Draws a world of small scenes, and says what is in them."};
    app.add_option("--out", options.out, "The folder to write, new or empty")->required();
    app.add_option("--seed", options.seed, "Other pictures and texts for each seed")->capture_default_str();
    app.add_option("--train", options.train, "Pictures to train with")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    app.add_option("--held-out", options.held_out, "Pictures of each other split")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
    app.add_option("--documents", options.documents, "Texts for language models")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000000));
    app.add_option("--single", options.single, "Of a hundred scenes, how many have one object")
        ->capture_default_str()
        ->check(CLI::Range(0, 100));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        scenes::write(options);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "scenes: " << error.what() << '\n';
        return 1;
    }
}
