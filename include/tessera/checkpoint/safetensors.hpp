// The safetensors format: 8 bytes of length, a JSON header, the numbers. Everything the header claims is checked before
// any of it is used.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tessera/checkpoint/convert.hpp>
#include <tessera/core/dtype.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/json.hpp>
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

/// An open safetensors file. Pages are read when a tensor's bytes are touched.
/// errors  Errc::file_open; Errc::checkpoint_format names the file, the tensor and what is wrong with it
/// cost    memory for the header only
/// source  the format's description, github.com/huggingface/safetensors
class Safetensors {
  public:
    explicit Safetensors(const std::filesystem::path& path) : path_(path), file_(path) { read_header(); }

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
    /// What the file says of itself under `key`; empty where it says nothing.
    std::string note(std::string_view key) const {
        const auto at = notes_.find(key);
        return at == notes_.end() ? "" : at->second;
    }
    const MappedFile& file() const { return file_; }

  private:
    static constexpr std::uint64_t longest_header = 100'000'000;  // what the usual library allows

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::checkpoint_format, path_.string(), ": ", parts...);
    }

    void read_header() {
        const std::span<const unsigned char> bytes = file_.bytes();
        if (bytes.size() < 8) fail("expected the 8 bytes of the header's length, found ", bytes.size(), " bytes");
        std::uint64_t length = 0;
        for (std::size_t i = 8; i-- > 0;) length = length << 8 | bytes[i];
        if (length > bytes.size() - 8)
            fail("expected a header of ", length, " bytes, found ", bytes.size() - 8, " bytes after its length");
        if (length > longest_header)
            fail("expected a header of at most ", longest_header, " bytes, found one of ", length);
        const std::string_view text = file_.text().substr(8, length);
        if (!text.starts_with('{'))
            fail("expected a header that begins with '{', found ", in_quotes(text.substr(0, 16)));
        const std::span<const unsigned char> data = bytes.subspan(8 + static_cast<std::size_t>(length));
        const JsonFile header(text, path_.string(), Errc::checkpoint_format, JsonNull::refused);
        for (const JsonValue entry : header.root().object()) {
            if (entry.key() != "__metadata__")
                tensors_.push_back(read_entry(entry.object(), data));
            else
                for (const JsonValue value : entry.object()) notes_.emplace(value.key(), value.text());
        }
        std::ranges::sort(tensors_, {}, &StoredTensor::name);
        check_coverage(data);
    }

    StoredTensor read_entry(const JsonValue& entry, std::span<const unsigned char> data) const {
        const auto wrong = [&](const auto&... parts) { fail("tensor ", in_quotes(entry.key()), ": ", parts...); };
        constexpr Index most = Index{1} << 56;  // of elements and bytes; in bits it still fits 64
        StoredTensor tensor;
        tensor.name = entry.key();
        const std::string_view type = entry["dtype"].text();
        const auto known = dtype_named(type);
        if (!known) wrong("dtype: ", in_quotes(type), " is not a type of the format");
        tensor.type = *known;
        for (const JsonValue extent : entry["shape"].list()) {
            const Index n = extent.whole(0, most);
            if (n != 0 && tensor.size > most / n) wrong("shape: more elements than any file could hold");
            tensor.size *= n;
            tensor.shape.push_back(n);
        }
        const JsonValue offsets = entry["data_offsets"].list();
        if (offsets.size() != 2) offsets.expected("two whole numbers");
        const Index begin = offsets.element(0).whole(0, most), end = offsets.element(1).whole(0, most);
        if (end < begin) wrong("data_offsets: the end ", end, " lies before the begin ", begin);
        if (end > static_cast<Index>(data.size()))
            wrong("data_offsets: expected at most ", data.size(), ", the bytes after the header, found ", end);
        const Index need = tensor.size * bits(tensor.type);
        if (need % 8 != 0 || need / 8 != end - begin)
            wrong("shape ", shape_text(tensor.shape), " of ", tessera::name(tensor.type), " takes ", (need + 7) / 8,
                  " bytes, data_offsets give it ", end - begin);
        tensor.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
        return tensor;
    }

    /// Each byte after the header belongs to one tensor.
    void check_coverage(std::span<const unsigned char> data) const {
        std::vector<const StoredTensor*> order(tensors_.size());
        std::ranges::transform(tensors_, order.begin(), [](const StoredTensor& t) { return &t; });
        const auto place = [](const StoredTensor* t) { return std::pair(t->bytes.data(), t->bytes.size()); };
        std::ranges::sort(order, {}, place);
        const unsigned char* end = data.data();
        for (const StoredTensor* tensor : order) {
            if (tensor->bytes.data() < end)
                fail("tensor ", in_quotes(tensor->name), ": data_offsets overlap those of another tensor");
            if (tensor->bytes.data() > end)
                fail(tensor->bytes.data() - end, " bytes before tensor ", in_quotes(tensor->name),
                     " belong to no tensor");
            end = tensor->bytes.data() + tensor->bytes.size();
        }
        if (end != data.data() + data.size())
            fail(data.data() + data.size() - end, " bytes after the last tensor belong to no tensor");
    }

    std::filesystem::path path_;
    MappedFile file_;
    std::vector<StoredTensor> tensors_;
    std::map<std::string, std::string, std::less<>> notes_;
};

}  // namespace tessera::inline TESSERA_ISA
