// Weight files: planned first, since names, shapes and sizes are known; then filled piece by piece from every core.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <tessera/core/tensor.hpp>
#include <thread>
#include <vector>

#include "checksum.hpp"
#include "tensors.hpp"

namespace tessera::random_checkpoint {

enum class ElementType : std::uint8_t { bf16, f32, f16 };

constexpr Index bytes_per_element(ElementType type) { return type == ElementType::f32 ? 4 : 2; }
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

struct PlacedText {
    Index offset;  // from the beginning of the file
    std::string text;
};

/// One file: which tensors it holds and where each begins, and the bytes around them.
struct PlannedFile {
    std::string name;
    ElementType type = ElementType::bf16;
    std::vector<PlannedTensor> tensors;
    std::vector<Index> offsets;  // of each tensor, from the beginning of the file
    std::vector<PlacedText> texts;
    /// What is known only when the weights are, of the CRC-32 of each tensor; empty where the format has none.
    std::function<std::vector<PlacedText>(const std::vector<std::uint32_t>&)> ending;
    Index bytes = 0;
};

/// What `files` hold together.
struct Totals {
    Index bytes = 0, weights = 0;
    std::size_t tensors = 0, files = 0;

    void add(const std::vector<PlannedFile>& planned) {
        files += planned.size();
        for (const PlannedFile& file : planned) {
            bytes += file.bytes;
            tensors += file.tensors.size();
            for (const PlannedTensor& tensor : file.tensors) weights += tensor.size();
        }
    }
};

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
    void write(const std::vector<PlacedText>& texts) const {
        for (const auto& [offset, text] : texts) write(text.data(), static_cast<Index>(text.size()), offset);
    }

  private:
    [[noreturn]] void fail(int reason) const {
        throw Error(Errc::file_open, path_.string(), ": cannot be written: ", std::strerror(reason));
    }
    std::filesystem::path path_;
    int file_;
};

/// Weights of one tensor, `count` of them from `first` on.
struct Piece {
    std::size_t file, tensor;
    Index first, count;
    std::uint32_t checksum = 0;
};

template <class T>
void draw_piece(T* out, const Piece& piece, const PlannedTensor& tensor, std::uint64_t seed) {
    fill(out, piece.count, stream(seed, tensor.drawn_as.empty() ? tensor.name : tensor.drawn_as),
         tensor.drawn_from + piece.first, tensor.law);
    for (Index i = std::max(piece.first, tensor.zeros_from); i < std::min(piece.first + piece.count, tensor.zeros_to);
         ++i)
        out[i - piece.first] = stored<T>(0);
}

/// Draws and writes all weights.
/// cost    a buffer of 16 MB or less per core, whatever the size of the model; the disk is the limit
inline void write_files(const std::filesystem::path& folder, const std::vector<PlannedFile>& planned,
                        std::uint64_t seed) {
    constexpr Index most = Index{1} << 22;  // weights in a piece
    std::vector<OutputFile> files;
    std::vector<Piece> pieces;
    for (std::size_t f = 0; f < planned.size(); ++f) {
        files.emplace_back(folder / planned[f].name, planned[f].bytes).write(planned[f].texts);
        for (std::size_t t = 0; t < planned[f].tensors.size(); ++t)
            for (Index first = 0, size = planned[f].tensors[t].size(); first < size; first += most)
                pieces.push_back({f, t, first, std::min(most, size - first)});
    }
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        Buffer<unsigned char> bytes(most * 4);
        for (std::size_t i = next++; i < pieces.size(); i = next++) {
            Piece& piece = pieces[i];
            const PlannedFile& plan = planned[piece.file];
            const PlannedTensor& tensor = plan.tensors[piece.tensor];
            if (plan.type == ElementType::bf16)
                draw_piece(reinterpret_cast<bf16*>(bytes.data()), piece, tensor, seed);
            else if (plan.type == ElementType::f16)
                draw_piece(reinterpret_cast<f16*>(bytes.data()), piece, tensor, seed);
            else
                draw_piece(reinterpret_cast<float*>(bytes.data()), piece, tensor, seed);
            const Index width = bytes_per_element(plan.type), count = piece.count * width;
            if (plan.ending) piece.checksum = crc32({bytes.data(), static_cast<std::size_t>(count)});
            files[piece.file].write(bytes.data(), count, plan.offsets[piece.tensor] + piece.first * width);
        }
    };
    {
        std::vector<std::future<void>> helpers;
        for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i)
            helpers.push_back(std::async(std::launch::async, work));
        work();
        for (auto& helper : helpers) helper.get();
    }
    for (std::size_t f = 0; f < planned.size(); ++f) {
        if (!planned[f].ending) continue;
        std::vector<std::uint32_t> checksums(planned[f].tensors.size());
        for (const Piece& piece : pieces)
            if (piece.file == f)
                checksums[piece.tensor] =
                    crc_joined(checksums[piece.tensor], piece.checksum,
                               static_cast<std::uint64_t>(piece.count * bytes_per_element(planned[f].type)));
        files[f].write(planned[f].ending(checksums));
    }
}

}  // namespace tessera::random_checkpoint
