// The golden checkpoints whose weights are those of blip2_opt, rounded: made when they are needed, which keeps them out of the
// repository. What the reference computed from the rounded weights lies in tests/golden/blip2_opt_bf16 and _f16.
#pragma once
#include <cstring>
#include <tessera/checkpoint/folder.hpp>
#include <tessera/core/dtype.hpp>
#include <tessera/core/json.hpp>

#include "support/golden.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {

namespace detail {

/// A safetensors file of 16-bit numbers.
template <class Number, class Round>
std::string rounded_file(std::span<const Checkpoint::Entry> entries, const char* type, Round round) {
    Json header = Json::object();
    std::string data;
    for (const Checkpoint::Entry& entry : entries) {
        const std::size_t begin = data.size();
        for (const float value : entry.tensor->to_floats()) {
            const Number number = round(value);
            data.append(reinterpret_cast<const char*>(&number), sizeof number);
        }
        header[std::string(entry.name())] = {
            {"dtype", type}, {"shape", entry.tensor->shape}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string text = header.dump();
    std::string out(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(text.size() >> 8 * i & 0xff);
    return out + text + data;
}

inline void write_rounded(const TemporaryFolder& folder, DType type) {
    namespace fs = std::filesystem;
    const fs::path source = golden("blip2_opt");
    for (const auto& file : fs::directory_iterator(source))
        if (const std::string name = file.path().filename().string();
            !name.starts_with("model") && !name.starts_with("expected"))
            fs::copy_file(file.path(), folder.path() / name);
    for (const char* name : {"expected.json", "expected.safetensors"})
        fs::create_symlink(fs::absolute(golden(type == DType::bf16 ? "blip2_opt_bf16" : "blip2_opt_f16")) / name,
                           folder.path() / name);
    std::ifstream in(source / "config.json");
    std::string config{std::istreambuf_iterator<char>(in), {}};
    const auto at = config.find("float32");
    folder.write("config.json", config.replace(at, 7, type == DType::bf16 ? "bfloat16" : "float16"));

    const Checkpoint weights(source);
    const auto all = weights.tensors();
    if (type == DType::bf16) {
        folder.write("model.safetensors", rounded_file<bf16>(all, "BF16", [](float x) { return to_bf16(x); }));
        return;
    }
    Json index = {{"metadata", Json::object()}};
    const std::size_t half = all.size() / 2;
    for (const int shard : {0, 1}) {
        const std::string name = "model-0000" + std::to_string(shard + 1) + "-of-00002.safetensors";
        const auto part = shard == 0 ? all.first(half) : all.subspan(half);
        folder.write(name, rounded_file<f16>(part, "F16", [](float x) { return to_f16(x); }));
        for (const Checkpoint::Entry& entry : part) index["weight_map"][std::string(entry.name())] = name;
    }
    folder.write("model.safetensors.index.json", index.dump());
}

}  // namespace detail

/// tests/golden/NAME, or the rounded folder of that name.
inline std::filesystem::path golden_checkpoint(std::string_view name) {
    const auto rounded = [](DType type) {
        auto folder = std::make_unique<TemporaryFolder>();
        detail::write_rounded(*folder, type);
        return folder;
    };
    if (name == "blip2_opt_bf16") {
        static const auto folder = rounded(DType::bf16);
        return folder->path();
    }
    if (name == "blip2_opt_f16") {
        static const auto folder = rounded(DType::f16);
        return folder->path();
    }
    return golden(name);
}

}  // namespace tessera::test
