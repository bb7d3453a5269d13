// One file of weights, of whatever format: its tensors, and where their numbers lie in the mapped file.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <tessera/checkpoint/convert.hpp>
#include <tessera/core/dtype.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/printable.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// `[16, 8]`
inline std::string shape_text(std::span<const Index> shape) {
    constexpr std::size_t shown = 8;
    std::string out = "[";
    for (std::size_t i = 0; i < std::min(shape.size(), shown); ++i)
        out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return out + (shape.size() > shown ? ", …]" : "]");
}

/// A tensor of a file: what it is called, and where its numbers lie. Lives as long as the file is open.
struct StoredTensor {
    std::string name;
    DType type = DType::f32;
    std::vector<Index> shape;              // none: one number
    std::span<const unsigned char> bytes;  // little-endian, row-major, not necessarily aligned
    Index size = 1;                        // number of elements

    /// All elements as T. Floating-point numbers do not become integers.
    /// errors  Errc::checkpoint_type
    template <class T>
    std::vector<T> to() const {
        if (type == DType::boolean || type == DType::u8) return copy<std::uint8_t, T>();
        if (type == DType::i8) return copy<std::int8_t, T>();
        if (type == DType::i16) return copy<std::int16_t, T>();
        if (type == DType::u16) return copy<std::uint16_t, T>();
        if (type == DType::i32) return copy<std::int32_t, T>();
        if (type == DType::u32) return copy<std::uint32_t, T>();
        if (type == DType::i64) return copy<std::int64_t, T>();
        if (type == DType::u64) return copy<std::uint64_t, T>();
        if (type == DType::f16) return copy<f16, T>();
        if (type == DType::bf16) return copy<bf16, T>();
        if (type == DType::f32) return copy<float, T>();
        if (type == DType::f64) return copy<double, T>();
        refuse();
    }
    std::vector<float> to_floats() const { return to<float>(); }

  private:
    [[noreturn]] void refuse() const {
        throw Error(Errc::checkpoint_type, in_quotes(name), ": numbers of type ", tessera::name(type),
                    " cannot be read as that");
    }
    template <class Source, class T>
    std::vector<T> copy() const {
        if constexpr (std::integral<T> && !std::integral<Source>) {
            refuse();
        } else {
            std::vector<T> out(static_cast<std::size_t>(size));
            for (std::size_t i = 0; i < out.size(); ++i) {
                Source x;
                std::memcpy(&x, bytes.data() + i * sizeof x, sizeof x);
                if constexpr (std::same_as<Source, f16> || std::same_as<Source, bf16>)
                    out[i] = static_cast<T>(to_float(x));
                else
                    out[i] = static_cast<T>(x);
            }
            return out;
        }
    }
};

/// An open file of weights; Safetensors and TorchFile read one. Pages are read when a tensor's bytes are touched.
/// errors  Errc::file_open
/// cost    memory for the names and shapes only
class WeightFile {
  public:
    const std::filesystem::path& path() const { return path_; }
    /// In the order of their names.
    std::span<const StoredTensor> tensors() const { return tensors_; }
    /// Null if there is none of that name.
    const StoredTensor* find(std::string_view name) const {
        const auto at = std::ranges::lower_bound(tensors_, name, {}, &StoredTensor::name);
        return at != tensors_.end() && at->name == name ? &*at : nullptr;
    }
    /// errors  Errc::checkpoint_missing
    const StoredTensor& tensor(std::string_view name) const {
        if (const StoredTensor* found = find(name)) return *found;
        throw Error(Errc::checkpoint_missing, in_quotes(name), ": no tensor of that name (", path_.string(), ')');
    }
    const MappedFile& file() const { return file_; }

  protected:
    static constexpr Index most_elements = Index{1} << 56;  // of elements and bytes; in bits it still fits 64

    explicit WeightFile(const std::filesystem::path& path) : path_(path), file_(path) {}

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::checkpoint_format, path_.string(), ": ", parts...);
    }
    /// One more extent of `tensor`, whose size it multiplies; false if no file could hold that many elements.
    static bool add_extent(StoredTensor& tensor, Index extent) {
        if (extent != 0 && tensor.size > most_elements / extent) return false;
        tensor.size *= extent;
        tensor.shape.push_back(extent);
        return true;
    }
    void sort() { std::ranges::sort(tensors_, {}, &StoredTensor::name); }

    std::filesystem::path path_;
    MappedFile file_;
    std::vector<StoredTensor> tensors_;
};

}  // namespace tessera::inline TESSERA_ISA
