// A model's weights in one file, as they lie in memory: loading them is mapping the file.
//
// The file is a safetensors file of bytes, one tensor for each parameter under the parameter's own path; what the bytes are made
// for is in its metadata. Beside it lie the files of the checkpoint that are not weights.
#pragma once
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/save.hpp>
#include <tessera/core/fnv1a.hpp>
#include <tessera/core/json.hpp>
#include <tessera/kernel/matmul/pack.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

/// The order of the bytes changes with it.
inline constexpr Index packed_version = 1;
inline constexpr const char* packed_name = "model.tessera";

/// Of config.json: another model may have weights of the same sizes.
inline std::string config_checksum(const std::filesystem::path& folder) {
    const std::uint64_t sum = fnv1a(MappedFile(folder / "config.json").text());
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
    return digits;
}

/// What weights packed here, for that config.json, are made for.
inline std::map<std::string, std::string> packed_layout(const std::filesystem::path& folder) {
    return {{"format", "tessera"},
            {"version", std::to_string(packed_version)},
            {"lanes", std::to_string(kernel::width)},
            {"panel", std::to_string(kernel::panel_width)},
            {"config", config_checksum(folder)}};
}

}  // namespace detail

/// Whether the weights of a checkpoint folder are packed.
inline bool is_packed(const std::filesystem::path& folder) {
    std::error_code ignored;
    return std::filesystem::exists(folder / detail::packed_name, ignored);
}

/// As which type the matrices of `model` are kept; f32 where it has none.
DType kept_dtype(const auto& model) {
    DType out = DType::f32;
    for (const auto& [path, leaf] : leaves_of(model)) out = leaf.matrix_dtype().value_or(out);
    return out;
}

namespace detail {

inline void pack(std::span<const NamedLeaf> leaves, DType weights, const std::filesystem::path& from,
                 const std::filesystem::path& to) {
    namespace fs = std::filesystem;
    std::error_code failed;
    fs::create_directories(to, failed);
    if (failed) throw Error(Errc::file_open, to.string(), ": cannot be made: ", failed.message());
    if (fs::equivalent(from, to, failed))
        throw Error(Errc::option_value, to.string(), ": expected another folder than that of the checkpoint");
    if (is_packed(to)) throw Error(Errc::option_value, to.string(), ": holds packed weights already");
    constexpr std::uintmax_t largest = 64 << 20;  // a tokenizer is smaller, and weights are not needed again
    for (const auto& file : fs::directory_iterator(from, failed)) {
        const std::string name = file.path().filename().string(), kind = file.path().extension().string();
        const bool beside = kind == ".json" || kind == ".txt" || kind == ".model" || kind == ".jinja";
        if (!beside || name.ends_with(".index.json") || !file.is_regular_file() || file.file_size() > largest) continue;
        fs::copy_file(file.path(), to / name, fs::copy_options::overwrite_existing, failed);
        if (failed) throw Error(Errc::file_open, (to / name).string(), ": cannot be written: ", failed.message());
    }

    Json header;
    header["__metadata__"] = detail::packed_layout(from);
    header["__metadata__"]["weights"] = name(weights);
    Index end = 0;
    for (const auto& [path, leaf] : leaves) {
        const Index begin = end;
        leaf.for_each_block([&](std::span<const std::byte> block) { end += MappedMemory::aligned(std::ssize(block)); });
        if (end > begin) header[path] = {{"dtype", "U8"}, {"shape", {end - begin}}, {"data_offsets", {begin, end}}};
    }
    OutputFile out(to / packed_name);
    out.write(header_bytes(header.dump(), 4096));  // weights begin on a page
    for (const NamedLeaf& named : leaves)
        named.leaf.for_each_block([&](std::span<const std::byte> block) {
            constexpr std::byte zeros[alignment]{};
            const Index size = std::ssize(block);
            out.write(block);
            out.write(std::span(zeros).first(static_cast<std::size_t>(MappedMemory::aligned(size) - size)));
        });
    out.commit();
}

inline void load_packed(std::span<const NamedLeaf> leaves, const std::filesystem::path& folder,
                        const LoadOptions& options) {
    const std::filesystem::path path = folder / detail::packed_name;
    const auto file = std::make_shared<const Safetensors>(path);
    const auto fail = [&](Errc code, const auto&... parts) { throw Error(code, path.string(), ": ", parts...); };
    const auto said = [&](const std::string& key) {
        const std::string note = file->note(key);
        return note.empty() ? std::string("nothing") : printable(note, 32);
    };
    for (const auto& [key, expected] : detail::packed_layout(folder))
        if (said(key) != expected)
            fail(Errc::checkpoint_format, "expected weights packed with ", key, ' ', expected, ", found ", said(key),
                 key == "config" ? ", config.json has changed" : "", ": pack the checkpoint again on this machine");
    const auto weights = dtype_named(said("weights"));
    if (!weights || !is_weight_dtype(*weights))
        fail(Errc::checkpoint_format, "weights: expected F32, BF16, F16 or I8, found ", said("weights"));
    if (options.weight_dtype && *options.weight_dtype != *weights)
        fail(Errc::option_value, "weights are packed as ", name(*weights), ", asked for as ",
             name(*options.weight_dtype));

    file->file().allow_writing();
    for (const auto& [parameter, leaf] : leaves) {
        const StoredTensor* const tensor = file->find(parameter);
        if (tensor == nullptr)
            fail(Errc::checkpoint_missing, in_quotes(parameter), ": not found; pack the checkpoint again");
        auto* const begin = const_cast<unsigned char*>(tensor->bytes.data());
        MappedMemory memory(reinterpret_cast<std::byte*>(begin), std::ssize(tensor->bytes), file);
        leaf.map(*weights, memory);
        if (memory.wanted() != std::ssize(tensor->bytes) || !memory.is_aligned())
            fail(Errc::checkpoint_shape, in_quotes(parameter), ": expected ", memory.wanted(), " aligned bytes, found ",
                 tensor->bytes.size(), "; pack the checkpoint again");
    }
    if (leaves.size() != file->tensors().size())
        fail(Errc::checkpoint_unexpected, "expected ", leaves.size(), " parameters, found ", file->tensors().size(),
             "; pack the checkpoint again");
    const auto all = file->file().bytes();
    constexpr std::size_t part = std::size_t{16} << 20;
    kernel::parallel_for_dynamic(static_cast<Index>((all.size() + part - 1) / part), [&](Index i) {
        const auto from = static_cast<std::size_t>(i) * part;
        file->file().populate(all.subspan(from, std::min(part, all.size() - from)));
    });
    if (options.progress) options.progress(std::ssize(all), std::ssize(all), detail::packed_name);
}

}  // namespace detail

/// Writes the weights of `model`, as they are kept, to the folder `to`, and copies there what lies beside them in the checkpoint folder `from`: config.json, tokenizer, picture settings.
/// errors  Errc::option_value where `to` is `from`, or has packed weights already; Errc::file_open where a file cannot be read or
///         written
/// cost    writes as many bytes as the model takes in memory
template <class Model>
void pack(const Model& model, const std::filesystem::path& from, const std::filesystem::path& to) {
    detail::pack(leaves_of(model), kept_dtype(model), from, to);
}

/// Fills `model` with the packed weights of a folder: they stay where the file is mapped. A page that is written to becomes this
/// process's own; the file never changes. Numbers are not looked at.
/// errors  Errc::checkpoint_format where they are packed for another processor, version or config.json: one sentence that says
///         so, and what to do; Errc::checkpoint_missing, Errc::checkpoint_shape; Errc::option_value for options.weight_dtype
/// cost    no memory of its own, and about 0.1 s a gigabyte where the file is in the system's cache
template <class Model>
void load_packed(Model& model, const std::filesystem::path& folder, const LoadOptions& options = {}) {
    detail::load_packed(leaves_of(model), folder, options);
}

}  // namespace tessera::inline TESSERA_ISA
