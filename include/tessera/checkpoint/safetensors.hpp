// The safetensors format: 8 bytes of length, a JSON header, the numbers. Everything the header claims is checked before
// any of it is used.
#pragma once
#include <functional>
#include <map>
#include <tessera/checkpoint/weight_file.hpp>
#include <tessera/core/json.hpp>

namespace tessera::inline TESSERA_ISA {

/// An open safetensors file.
/// errors  Errc::file_open; Errc::checkpoint_format names the file, the tensor and what is wrong with it
/// cost    memory for the header only
/// source  the format's description, github.com/huggingface/safetensors
class Safetensors : public WeightFile {
  public:
    explicit Safetensors(const std::filesystem::path& path) : WeightFile(path) { read_header(); }

    /// What the file says of itself under `key`; empty where it says nothing.
    std::string note(std::string_view key) const {
        const auto at = notes_.find(key);
        return at == notes_.end() ? "" : at->second;
    }

  private:
    static constexpr std::uint64_t longest_header = 100'000'000;  // what the usual library allows

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
        sort();
        check_coverage(data);
    }

    StoredTensor read_entry(const JsonValue& entry, std::span<const unsigned char> data) const {
        const auto wrong = [&](const auto&... parts) { fail("tensor ", in_quotes(entry.key()), ": ", parts...); };
        StoredTensor tensor;
        tensor.name = entry.key();
        const std::string_view type = entry["dtype"].text();
        const auto known = dtype_named(type);
        if (!known) wrong("dtype: ", in_quotes(type), " is not a type of the format");
        tensor.type = *known;
        for (const JsonValue extent : entry["shape"].list()) {
            if (!add_extent(tensor, extent.whole(0, most_elements)))
                wrong("shape: more elements than any file could hold");
        }
        const JsonValue offsets = entry["data_offsets"].list();
        if (offsets.size() != 2) offsets.expected("two whole numbers");
        const Index begin = offsets.element(0).whole(0, most_elements),
                    end = offsets.element(1).whole(0, most_elements);
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

    std::map<std::string, std::string, std::less<>> notes_;
};

}  // namespace tessera::inline TESSERA_ISA
