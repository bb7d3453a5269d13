// Writes a checkpoint of real shapes and random weights, laid out as Hugging Face or LAVIS publish it, so that everything that
// depends on shapes alone (memory, speed, agreement with another implementation) can be seen without a download.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "bert_tokenizer_files.hpp"
#include "lavis.hpp"
#include "shards.hpp"
#include "t5_tokenizer_files.hpp"
#include "tokenizer_files.hpp"

namespace tessera::random_checkpoint {

struct Options {
    std::string shape;
    std::filesystem::path out;
    std::string layout = "huggingface";
    std::string dtype;
    std::uint64_t seed = 1;
    Index shard_bytes = 5'000'000'000;
};

void write_text(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw Error(Errc::file_open, path.string(), ": cannot be written: ", std::strerror(errno));
}

/// Makes the folder if it is not there.
void take_folder(const std::filesystem::path& folder) {
    std::error_code reason;
    std::filesystem::create_directories(folder, reason);
    if (reason && !std::filesystem::is_directory(folder))
        throw Error(Errc::file_open, folder.string(), ": cannot be made: ", reason.message());
    if (!std::filesystem::is_empty(folder))
        throw Error(Errc::option_value, "--out: expected an empty or a new folder, found files in ", folder.string());
}

void expect_room(const std::filesystem::path& folder, Index bytes) {
    const auto room = std::filesystem::space(folder).available;
    if (room < static_cast<std::uintmax_t>(bytes))
        throw Error(Errc::file_open, folder.string(), ": expected room for ", bytes, " bytes of weights, found ", room);
}

/// Writes the files, or none of them.
void write_weights(const std::filesystem::path& folder, const std::vector<PlannedFile>& files, std::uint64_t seed) {
    try {
        write_files(folder, files, seed);
    } catch (...) {
        std::error_code ignored;
        for (const PlannedFile& file : files) std::filesystem::remove(folder / file.name, ignored);
        throw;
    }
}

void write_documents(const std::filesystem::path& folder, const Documents& files) {
    for (const auto& [name, content] : files) write_text(folder / name, content.dump(1) + '\n');
}

/// Weights in Hugging Face's layout, and all that lies beside them. The weights first and config.json last: a folder that was not
/// finished is not mistaken for a checkpoint.
void write_folder(const std::filesystem::path& folder, const Shape& shape, const std::vector<PlannedFile>& shards,
                  std::uint64_t seed) {
    write_weights(folder, shards, seed);
    Documents files = settings(shape, torch_name(shards.front().type));
    if (shards.size() > 1) files["model.safetensors.index.json"] = shard_index(shards);
    if (shape.retrieval()) {
        files.merge(bert_tokenizer_documents(true));
        write_text(folder / "vocab.txt", bert_vocabulary_text());
    }
    if (shape.t5) files.merge(t5_tokenizer_documents(shape.qformer.has_value()));
    if (shape.opt) {
        const Vocabulary vocabulary = made_up_vocabulary();
        files.merge(tokenizer_documents(vocabulary, shape.qformer.has_value()));
        write_text(folder / "merges.txt", merges_text(vocabulary));
    }
    const auto config = files.extract("config.json");
    write_documents(folder, files);
    write_text(folder / config.key(), config.mapped().dump(1) + '\n');
}

Totals write_huggingface(const Options& options, const Shape& shape) {
    const ElementType type = element_type_named(options.dtype.empty() ? "bf16" : options.dtype);
    const auto shards = plan_shards(planned_tensors(shape), type, options.shard_bytes);
    Totals totals;
    totals.add(shards);
    take_folder(options.out);
    expect_room(options.out, totals.bytes);
    write_folder(options.out, shape, shards, options.seed);
    return totals;
}

/// What LAVIS publishes, and in folders of their own what it takes from others: the language model, or BERT's tokenizer.
Totals write_lavis(const Options& options, const Shape& shape) {
    const LavisNames& names = lavis_names_of(shape);
    LavisTypes types = published_types(shape);
    if (!options.dtype.empty()) types.vision = types.trained = types.language = element_type_named(options.dtype);
    const auto files = lavis_files(shape, names, types);
    std::vector<PlannedFile> shards;
    const Shape* language = names.language.empty() ? nullptr : &shape_named(names.language);
    if (language != nullptr) {
        auto tensors = planned_tensors(*language);
        for (PlannedTensor& tensor : tensors) tensor.drawn_as = "language_model." + tensor.name;
        shards = plan_shards(std::move(tensors), types.language, options.shard_bytes);
    }
    Totals totals;
    totals.add(files);
    totals.add(shards);
    take_folder(options.out);
    expect_room(options.out, totals.bytes);
    write_weights(options.out, files, options.seed);
    const auto beside = options.out / (language != nullptr ? names.language : "bert-base-uncased");
    take_folder(beside);
    if (language != nullptr) {
        write_folder(beside, *language, shards, options.seed);
    } else {
        write_documents(beside, bert_tokenizer_documents(false));
        write_text(beside / "vocab.txt", bert_vocabulary_text());
    }
    return totals;
}

void write(const Options& options) {
    const Shape& shape = shape_named(options.shape);
    if (options.shard_bytes <= 0)
        throw Error(Errc::option_value, "--shard-bytes: expected a number above 0, found ", options.shard_bytes);
    const auto start = std::chrono::steady_clock::now();
    const Totals all = options.layout == "lavis" ? write_lavis(options, shape) : write_huggingface(options, shape);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%s: %s, random: %zu tensors, %.3f G weights, %.3f GB in %zu %s, %.1f s\n", options.out.c_str(),
                options.shape.c_str(), all.tensors, static_cast<double>(all.weights) * 1e-9,
                static_cast<double>(all.bytes) * 1e-9, all.files, all.files == 1 ? "file" : "files", seconds.count());
}

}  // namespace tessera::random_checkpoint

int main(int argc, char** argv) {
    using namespace tessera::random_checkpoint;
    Options options;
    CLI::App app{"Writes a checkpoint of real shapes and random weights in the layout of Hugging Face or LAVIS."};
    std::vector<std::string> names;
    for (const Shape& shape : shapes) names.emplace_back(shape.name);
    app.add_option("--shape", options.shape, "Which model: " + CLI::detail::join(names, ", "))->required();
    app.add_option("--out", options.out, "The folder to write, new or empty")->required();
    app.add_option("--layout", options.layout,
                   "huggingface, or for a BLIP-2 lavis: the .pth files that LAVIS publishes, and the folder of the "
                   "language model or of BERT's tokenizer")
        ->check(CLI::IsMember({"huggingface", "lavis"}))
        ->capture_default_str();
    app.add_option("--dtype", options.dtype,
                   "bf16, f32 or f16; default: bf16, for lavis what is published: f16 for EVA-CLIP and OPT, else f32");
    app.add_option("--seed", options.seed, "Other weights for each seed")->capture_default_str();
    app.add_option("--shard-bytes", options.shard_bytes, "Weights per file at most")->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        write(options);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "random_checkpoint: " << error.what() << '\n';
        return 1;
    }
}
