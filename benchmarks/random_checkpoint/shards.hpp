// Weight files: planned first, since names, shapes and sizes are known; then filled piece by piece from every core.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <future>
#include <tessera/core/json.hpp>
#include <tessera/core/tensor.hpp>
#include <thread>
#include <vector>

#include "tensors.hpp"

namespace tessera::random_checkpoint {

enum class ElementType : std::uint8_t { bf16, f32, f16 };

constexpr Index bytes_per_element(ElementType type) { return type == ElementType::f32 ? 4 : 2; }
constexpr std::string_view safetensors_name(ElementType type) {
    return type == ElementType::bf16 ? "BF16" : type == ElementType::f16 ? "F16" : "F32";
}
constexpr std::string_view torch_name(ElementType type) {
    return type == ElementType::bf16 ? "bfloat16" : type == ElementType::f16 ? "float16" : "float32";
}

/// errors  Errc::option_value
inline ElementType element_type_named(std::string_view name) {
    if (name == "bf16") return ElementType::bf16;
    if (name == "f16") return ElementType::f16;
    if (name == "f32") return ElementType::f32;
    throw Error(Errc::option_value, "--dtype: expected bf16, f32 or f16, found '", name, "'");
}

/// One safetensors file: which tensors it holds, where each begins, and the bytes in front of them.
struct Shard {
    std::string file;
    std::string header;  // length and JSON
    std::vector<PlannedTensor> tensors;
    std::vector<Index> offsets;  // of each tensor, from the beginning of the file
    Index bytes = 0;
};

/// The header: its length in 8 bytes, then JSON, filled up with blanks so that the tensors begin on a multiple of 8.
inline void lay_out(Shard& shard, ElementType type) {
    Json header = {{"__metadata__", {{"format", "pt"}}}};
    Index end = 0;
    for (const PlannedTensor& tensor : shard.tensors) {
        const Index begin = end;
        end += tensor.size() * bytes_per_element(type);
        shard.offsets.push_back(begin);
        header[tensor.name] = {
            {"dtype", safetensors_name(type)}, {"shape", tensor.extents}, {"data_offsets", {begin, end}}};
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    for (int byte = 0; byte < 8; ++byte) shard.header += static_cast<char>(text.size() >> 8 * byte & 0xff);
    shard.header += text;
    const auto front = static_cast<Index>(shard.header.size());
    for (Index& offset : shard.offsets) offset += front;
    shard.bytes = front + end;
}

/// Tensors in order of their names, a new file where `limit` bytes of weights would be exceeded.
inline std::vector<Shard> plan_shards(std::vector<PlannedTensor> tensors, ElementType type, Index limit) {
    std::ranges::sort(tensors, {}, &PlannedTensor::name);
    std::vector<Shard> shards(1);
    Index filled = 0;
    for (PlannedTensor& tensor : tensors) {
        const Index bytes = tensor.size() * bytes_per_element(type);
        if (filled > 0 && filled + bytes > limit) {
            shards.emplace_back();
            filled = 0;
        }
        filled += bytes;
        shards.back().tensors.push_back(std::move(tensor));
    }
    for (std::size_t i = 0; i < shards.size(); ++i) {
        char name[64] = "model.safetensors";
        if (shards.size() > 1)
            std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
        shards[i].file = name;
        lay_out(shards[i], type);
    }
    return shards;
}

/// model.safetensors.index.json
inline Json shard_index(const std::vector<Shard>& shards, ElementType type) {
    Json map = Json::object();
    Index total = 0;
    for (const Shard& shard : shards) {
        for (const PlannedTensor& tensor : shard.tensors) {
            map[tensor.name] = shard.file;
            total += tensor.size() * bytes_per_element(type);
        }
    }
    return {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
}

/// A new file of a known size, written at any place by any thread.
/// errors  Errc::file_open names the path and the system's reason
class OutputFile {
  public:
    OutputFile(const std::filesystem::path& path, Index bytes)
        : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
        if (file_ < 0) fail(errno);
        if (const int reason = ::posix_fallocate(file_, 0, bytes); reason != 0) {
            ::close(file_);
            fail(reason);
        }
    }
    OutputFile(OutputFile&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
    ~OutputFile() {
        if (file_ >= 0) ::close(file_);
    }
    void write(const void* data, Index bytes, Index offset) const {
        const auto* at = static_cast<const char*>(data);
        while (bytes > 0) {
            const ::ssize_t done = ::pwrite(file_, at, static_cast<std::size_t>(bytes), offset);
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) fail(done < 0 ? errno : EIO);
            at += done;
            bytes -= done;
            offset += done;
        }
    }

  private:
    [[noreturn]] void fail(int reason) const {
        throw Error(Errc::file_open, path_.string(), ": cannot be written: ", std::strerror(reason));
    }
    std::filesystem::path path_;
    int file_;
};

/// Draws and writes all weights.
/// cost    a buffer of 16 MB or less per core, whatever the size of the model; the disk is the limit
inline void write_shards(const std::filesystem::path& folder, const std::vector<Shard>& shards, ElementType type,
                         std::uint64_t seed) {
    constexpr Index piece = Index{1} << 22;  // weights
    struct Task {
        const OutputFile* file;
        const PlannedTensor* tensor;
        Index offset, first, count;
    };
    std::vector<OutputFile> files;
    for (const Shard& shard : shards) files.emplace_back(folder / shard.file, shard.bytes);
    std::vector<Task> tasks;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        files[i].write(shards[i].header.data(), static_cast<Index>(shards[i].header.size()), 0);
        for (std::size_t t = 0; t < shards[i].tensors.size(); ++t) {
            const PlannedTensor& tensor = shards[i].tensors[t];
            for (Index first = 0; first < tensor.size(); first += piece)
                tasks.push_back(
                    {&files[i], &tensor, shards[i].offsets[t], first, std::min(piece, tensor.size() - first)});
        }
    }
    std::atomic<std::size_t> next{0};
    const auto work = [&]<class T>(T) {
        Buffer<T> values(piece);
        for (std::size_t i = next++; i < tasks.size(); i = next++) {
            const Task& task = tasks[i];
            fill(values.data(), task.count, stream(seed, task.tensor->name), task.first, task.tensor->law);
            constexpr auto width = static_cast<Index>(sizeof(T));
            task.file->write(values.data(), task.count * width, task.offset + task.first * width);
        }
    };
    const auto run = [&] {
        if (type == ElementType::bf16)
            work(bf16{});
        else if (type == ElementType::f16)
            work(f16{});
        else
            work(float{});
    };
    std::vector<std::future<void>> helpers;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i)
        helpers.push_back(std::async(std::launch::async, run));
    run();
    for (auto& helper : helpers) helper.get();
}

}  // namespace tessera::random_checkpoint
