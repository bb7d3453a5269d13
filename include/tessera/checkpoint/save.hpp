// Writing safetensors files.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <tessera/core/dtype.hpp>
#include <tessera/core/json.hpp>
#include <tessera/core/output_file.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

namespace detail {
/// The length of the header, and the header, filled up so that what follows begins at a multiple of `align` bytes.
inline std::string header_bytes(std::string header, std::size_t align = 1) {
    header.append((align - (8 + header.size()) % align) % align, ' ');
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(std::uint64_t{header.size()} >> 8 * i & 0xff);
    return length + header;
}
}  // namespace detail

/// Tensors on their way to a file.
class SafetensorsWriter {
  public:
    /// Writes the numbers of a tensor, in little-endian order.
    using Numbers = std::function<void(OutputFile& file)>;

    /// Copies the numbers.
    /// errors  Errc::checkpoint_format for a name that was added before
    void add(const std::string& name, const std::vector<Index>& shape, const float* values) {
        add(name, DType::f32, shape, values, sizeof(float));
    }
    void add(const std::string& name, const std::vector<Index>& shape, const std::int64_t* values) {
        add(name, DType::i64, shape, values, sizeof(std::int64_t));
    }
    /// Without a copy: `numbers` writes as many as the shape has when the file is written.
    void add(const std::string& name, DType type, const std::vector<Index>& shape, Numbers numbers) {
        if (header_.contains(name)) throw Error(Errc::checkpoint_format, '\'', name, "': added twice");
        const Index begin = end_;
        end_ += count_of(shape) * bits(type) / 8;
        header_[name] = {{"dtype", tessera::name(type)}, {"shape", shape}, {"data_offsets", {begin, end_}}};
        tensors_.push_back({std::move(numbers), end_});
    }

    /// Adds a text about the file, which `Safetensors::note` finds.
    void note(const std::string& key, const std::string& text) { header_["__metadata__"][key] = text; }

    /// A file that was there before stays until the new one is whole, and on the disk.
    /// errors  Errc::file_open when the file cannot be written whole
    void write(const std::filesystem::path& path) const {
        OutputFile out(path);
        out.write(detail::header_bytes(header_.dump(), 8));  // so that the numbers are aligned
        const Index begin = out.size();
        for (const Tensor& tensor : tensors_) {
            tensor.numbers(out);
            if (out.size() - begin != tensor.end)
                throw Error(Errc::checkpoint_format, path.string(), ": a tensor should end at byte ", tensor.end,
                            ", its numbers do at ", out.size() - begin);
        }
        out.commit();
    }

  private:
    struct Tensor {
        Numbers numbers;
        Index end;
    };

    static Index count_of(const std::vector<Index>& shape) {
        Index count = 1;
        for (const Index extent : shape) count *= extent;
        return count;
    }
    void add(const std::string& name, DType type, const std::vector<Index>& shape, const void* values,
             std::size_t element) {
        const auto* const begin = static_cast<const std::byte*>(values);
        const std::size_t size = static_cast<std::size_t>(count_of(shape)) * element;
        add(name, type, shape,
            [copy = std::vector<std::byte>(begin, begin + size)](OutputFile& file) { file.write(copy); });
    }

    Json header_ = Json::object();
    std::vector<Tensor> tensors_;
    Index end_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
