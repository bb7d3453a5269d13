// Writes a checkpoint of real shapes and random weights, laid out as Hugging Face publishes it, so that everything that
// depends on shapes alone (memory, speed, agreement with another implementation) can be seen without a download.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "bert_tokenizer_files.hpp"
#include "shards.hpp"
#include "t5_tokenizer_files.hpp"
#include "tokenizer_files.hpp"

namespace tessera::random_checkpoint {

struct Options {
    std::string shape;
    std::filesystem::path out;
    std::string dtype = "bf16";
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

/// The weights first and config.json last: a folder that was not finished is not mistaken for a checkpoint.
void write(const Options& options) {
    const Shape& shape = shape_named(options.shape);
    const ElementType type = element_type_named(options.dtype);
    if (options.shard_bytes <= 0)
        throw Error(Errc::option_value, "--shard-bytes: expected a number above 0, found ", options.shard_bytes);
    const auto start = std::chrono::steady_clock::now();
    const auto shards = plan_shards(planned_tensors(shape), type, options.shard_bytes);
    Index bytes = 0, weights = 0;
    std::size_t tensors = 0;
    for (const Shard& shard : shards) {
        bytes += shard.bytes;
        tensors += shard.tensors.size();
        for (const PlannedTensor& tensor : shard.tensors) weights += tensor.size();
    }
    take_folder(options.out);
    expect_room(options.out, bytes);
    try {
        write_shards(options.out, shards, type, options.seed);
    } catch (...) {
        std::error_code ignored;
        for (const Shard& shard : shards) std::filesystem::remove(options.out / shard.file, ignored);
        throw;
    }

    Documents files = settings(shape, torch_name(type));
    if (shards.size() > 1) files["model.safetensors.index.json"] = shard_index(shards, type);
    if (shape.retrieval()) {
        files.merge(bert_tokenizer_documents());
        write_text(options.out / "vocab.txt", bert_vocabulary_text());
    }
    if (shape.t5) files.merge(t5_tokenizer_documents(shape.qformer.has_value()));
    if (shape.opt) {
        const Vocabulary vocabulary = made_up_vocabulary();
        files.merge(tokenizer_documents(vocabulary, shape.qformer.has_value()));
        write_text(options.out / "merges.txt", merges_text(vocabulary));
    }
    const auto config = files.extract("config.json");
    for (const auto& [name, content] : files) write_text(options.out / name, content.dump(1) + '\n');
    write_text(options.out / config.key(), config.mapped().dump(1) + '\n');

    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%s: %s, random: %zu tensors, %.3f G weights, %.3f GB in %zu %s, %.1f s\n", options.out.c_str(),
                options.shape.c_str(), tensors, static_cast<double>(weights) * 1e-9, static_cast<double>(bytes) * 1e-9,
                shards.size(), shards.size() == 1 ? "file" : "files", seconds.count());
}

}  // namespace tessera::random_checkpoint

int main(int argc, char** argv) {
    using namespace tessera::random_checkpoint;
    Options options;
    CLI::App app{"Writes a checkpoint of real shapes and random weights in Hugging Face's layout."};
    std::vector<std::string> names;
    for (const Shape& shape : shapes) names.emplace_back(shape.name);
    app.add_option("--shape", options.shape, "Which model: " + CLI::detail::join(names, ", "))->required();
    app.add_option("--out", options.out, "The folder to write, new or empty")->required();
    app.add_option("--dtype", options.dtype, "bf16, f32 or f16")->capture_default_str();
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
