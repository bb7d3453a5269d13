// Writing safetensors files.
#pragma once
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <tessera/core/dtype.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/json.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

namespace detail {
/// The length of the header, and the header.
inline void write_header(std::ofstream& out, const std::string& header) {
    for (int i = 0; i < 8; ++i) out.put(static_cast<char>(std::uint64_t{header.size()} >> 8 * i & 0xff));
    out.write(header.data(), static_cast<std::streamsize>(header.size()));
}
}  // namespace detail

/// Tensors on their way to a file; the numbers are copied when they are added.
class SafetensorsWriter {
  public:
    /// errors  Errc::checkpoint_format for a name that was added before
    void add(const std::string& name, const std::vector<Index>& shape, const float* values) {
        add(name, DType::f32, shape, values, sizeof(float));
    }
    void add(const std::string& name, const std::vector<Index>& shape, const std::int64_t* values) {
        add(name, DType::i64, shape, values, sizeof(std::int64_t));
    }

    /// Adds a text about the file, which `Safetensors::note` finds.
    void note(const std::string& key, const std::string& text) { header_["__metadata__"][key] = text; }

    /// A file that was there before stays until the new one is whole.
    /// errors  Errc::file_open when the file cannot be written whole
    void write(const std::filesystem::path& path) const {
        std::string header = header_.dump();
        header.append((8 - header.size() % 8) % 8, ' ');  // so that the numbers are aligned
        replace_file(path, [&](std::ofstream& out) {
            detail::write_header(out, header);
            out.write(data_.data(), static_cast<std::streamsize>(data_.size()));
        });
    }

  private:
    void add(const std::string& name, DType type, const std::vector<Index>& shape, const void* values,
             std::size_t element) {
        if (header_.contains(name)) throw Error(Errc::checkpoint_format, '\'', name, "': added twice");
        std::size_t count = 1;
        for (const Index extent : shape) count *= static_cast<std::size_t>(extent);
        const std::size_t begin = data_.size();
        data_.resize(begin + count * element);
        if (count > 0) std::memcpy(data_.data() + begin, values, count * element);
        header_[name] = {{"dtype", tessera::name(type)}, {"shape", shape}, {"data_offsets", {begin, data_.size()}}};
    }

    Json header_ = Json::object();
    std::vector<char> data_;
};

}  // namespace tessera::inline TESSERA_ISA
