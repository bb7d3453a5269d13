// Files as torch.save writes them, and parts of such files for tests that put them together wrongly.
#pragma once
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <tessera/checkpoint/weight_file.hpp>
#include <utility>
#include <vector>

namespace tessera::test {

inline std::string little(std::uint64_t number, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i) out += i >= 8 ? '\0' : static_cast<char>(number >> 8 * i & 0xff);
    return out;
}

/// Operations of pickles of protocol 2.
namespace pickle {
inline const std::string begin = "\x80\x02", end = ".";
inline std::string text(std::string_view x) { return 'X' + little(x.size(), 4) + std::string(x); }
inline std::string whole(std::int64_t x) { return "\x8a\x08" + little(static_cast<std::uint64_t>(x), 8); }
inline std::string global(std::string_view module, std::string_view name) {
    return 'c' + std::string(module) + '\n' + std::string(name) + '\n';
}
inline std::string tuple(const std::string& items) { return '(' + items + 't'; }
inline std::string dictionary(const std::string& items) { return "}(" + items + 'u'; }
inline std::string wholes(const std::vector<Index>& numbers) {
    std::string out;
    for (const Index x : numbers) out += whole(x);
    return tuple(out);
}
inline std::string storage(std::string_view type, std::string_view key, Index count) {
    return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + whole(count)) + 'Q';
}
inline std::string tensor(const std::string& storage, Index offset, const std::vector<Index>& size,
                          const std::vector<Index>& stride) {
    return global("torch._utils", "_rebuild_tensor_v2") +
           tuple(storage + whole(offset) + wholes(size) + wholes(stride) + '\x89' +
                 global("collections", "OrderedDict") + ")R") +
           'R';
}
}  // namespace pickle

/// A zip file of stored entries, as torch writes it: with the large end record, sizes only in the directory.
struct ZipFile {
    struct Entry {
        std::string name, bytes;
        unsigned method = 0, flags = 0x808;
        std::string local_name = name;
    };
    std::vector<Entry> entries;

    std::string bytes() const {
        std::string file, directory;
        for (const Entry& entry : entries) {
            const auto sizes = little(entry.bytes.size(), 4);
            const std::size_t at = file.size();
            const std::size_t padding = (64 - (at + 30 + entry.name.size() + 4) % 64) % 64;
            file += "PK\x03\x04" + little(0, 2) + little(entry.flags, 2) + little(entry.method, 2) + little(0, 8);
            file += (entry.flags & 8) != 0 ? little(0, 8) : sizes + sizes;
            file += little(entry.local_name.size(), 2) + little(4 + padding, 2) + entry.local_name + "FB" +
                    little(padding, 2) + std::string(padding, 'Z') + entry.bytes;
            directory += "PK\x01\x02" + little(0, 4) + little(entry.flags, 2) + little(entry.method, 2) + little(0, 8) +
                         sizes + sizes + little(entry.name.size(), 2) + little(0, 12) + little(at, 4) + entry.name;
        }
        const std::size_t begin = file.size(), records = begin + directory.size();
        file += directory + "PK\x06\x06" + little(44, 8) + little(0, 4) + little(0, 8) + little(entries.size(), 8) +
                little(entries.size(), 8) + little(directory.size(), 8) + little(begin, 8);
        file += "PK\x06\x07" + little(0, 4) + little(records, 8) + little(1, 4);
        return file + "PK\x05\x06" + little(0, 4) + little(entries.size(), 2) + little(entries.size(), 2) +
               little(directory.size(), 4) + little(begin, 4) + little(0, 2);
    }
};

/// A file of torch.save with that pickle and those storages.
inline std::string torch_file(const std::string& pickle,
                              const std::vector<std::pair<std::string, std::string>>& storages,
                              const std::string& archive = "archive") {
    ZipFile zip;
    zip.entries.push_back({archive + "/data.pkl", pickle});
    zip.entries.push_back({archive + "/byteorder", "little"});
    for (const auto& [key, bytes] : storages) zip.entries.push_back({archive + "/data/" + key, bytes});
    zip.entries.push_back({archive + "/version", "3\n"});
    return zip.bytes();
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

/// Tensors on their way to a file of torch.save.
class TorchWriter {
  public:
    void add(const StoredTensor& tensor) { add(tensor.name, tensor); }
    void add(const std::string& name, const StoredTensor& tensor) {
        std::vector<Index> stride(tensor.shape.size());
        Index size = 1;
        for (std::size_t i = stride.size(); i-- > 0; size *= tensor.shape[i]) stride[i] = size;
        const std::string key = std::to_string(storages_.size());
        items_ += pickle::text(name) +
                  pickle::tensor(pickle::storage(type_name(tensor.type), key, tensor.size), 0, tensor.shape, stride);
        storages_.emplace_back(key, std::string(tensor.bytes.begin(), tensor.bytes.end()));
    }
    bool empty() const { return storages_.empty(); }
    /// As the whole of the file, or below `key`, as LAVIS has it.
    void write(const std::filesystem::path& path, const std::string& key = {}) const {
        std::string pickle = pickle::dictionary(items_);
        if (!key.empty()) pickle = pickle::dictionary(pickle::text(key) + pickle + pickle::text("epoch") + "K\x09");
        write_bytes(path, torch_file(pickle::begin + pickle + pickle::end, storages_));
    }

  private:
    static std::string_view type_name(DType type) {
        switch (type) {
            case DType::f16:
                return "HalfStorage";
            case DType::bf16:
                return "BFloat16Storage";
            case DType::i64:
                return "LongStorage";
            default:
                return "FloatStorage";
        }
    }
    std::string items_;
    std::vector<std::pair<std::string, std::string>> storages_;
};

}  // namespace tessera::test
