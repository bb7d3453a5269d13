// A file as torch.save writes it: a zip file of stored entries, of which one is a pickle that describes the tensors, and each
// of the others the numbers of one.
#pragma once
#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planned_file.hpp"

namespace tessera::random_checkpoint {

/// `number` in so many bytes, the lowest first.
inline std::string little(std::uint64_t number, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i, number >>= 8) out += static_cast<char>(number & 0xff);
    return out;
}

/// Operations of pickles of protocol 2. Nothing is remembered to be used again, as Python does to save some bytes.
/// source  the comments of Python's pickletools.py
namespace pickle {
inline std::string text(std::string_view x) { return 'X' + little(x.size(), 4) + std::string(x); }
inline std::string whole(Index x) {
    TESSERA_EXPECTS(x >= 0 && x <= std::numeric_limits<std::int32_t>::max());
    return 'J' + little(static_cast<std::uint64_t>(x), 4);
}
inline std::string wholes(const std::vector<Index>& numbers) {
    std::string out = "(";
    for (const Index x : numbers) out += whole(x);
    return out + 't';
}
inline std::string ordered_dictionary() { return "ccollections\nOrderedDict\n)R"; }
}  // namespace pickle

/// Collects the tensors of a file, and where their numbers lie.
class TorchFilePlan {
  public:
    /// The archive is called after the file, as torch does.
    TorchFilePlan(std::string file, ElementType type) : archive_(file.substr(0, file.rfind('.')) + '/') {
        out_.name = std::move(file);
        out_.type = type;
    }

    void add(PlannedTensor tensor) {
        describe(tensor.name, tensor.extents, storages_.size(), storage_name());
        storages_.push_back({tensor.name, tensor.extents, tensor.size() * bytes_per_element(out_.type), {}});
        out_.tensors.push_back(std::move(tensor));
    }
    /// A second name for the numbers of a tensor that was added.
    void add_tied(const std::string& name, std::string_view of) {
        const auto storage = std::ranges::find(storages_, of, &Storage::name);
        TESSERA_EXPECTS(storage != storages_.end());
        describe(name, storage->extents, static_cast<std::size_t>(storage - storages_.begin()), storage_name());
    }
    /// The numbers 0, 1, 2, … as a tensor [1, count] of 64-bit integers: how PyTorch numbers positions.
    void add_positions(const std::string& name, Index count) {
        describe(name, {1, count}, storages_.size(), "LongStorage");
        std::string numbers;
        for (Index i = 0; i < count; ++i) numbers += little(static_cast<std::uint64_t>(i), 8);
        storages_.push_back({name, {1, count}, std::ssize(numbers), std::move(numbers)});
    }

    /// The file, its tensors below `key` in a dictionary if that is not empty.
    PlannedFile take(std::string_view key) {
        std::string dictionary = pickle::ordered_dictionary() + '(' + items_ + 'u';
        if (!key.empty()) dictionary = "}(" + pickle::text(key) + dictionary + 'u';
        add_entry("data.pkl", "\x80\x02" + dictionary + '.');
        add_entry("byteorder", "little");
        for (std::size_t i = 0; i < storages_.size(); ++i) {
            const std::string name = "data/" + std::to_string(i);
            if (storages_[i].text.empty())
                out_.offsets.push_back(add_header(name, storages_[i].bytes));
            else
                add_entry(name, std::move(storages_[i].text));
        }
        add_entry("version", "3\n");
        out_.ending = [entries = std::move(entries_), begin = out_.bytes](const auto& checksums) {
            return directory(entries, begin, checksums);
        };
        std::vector<std::uint32_t> unknown(out_.tensors.size());
        out_.bytes += std::ssize(out_.ending(unknown).back().text);
        return std::move(out_);
    }

  private:
    struct Storage {
        std::string name;
        std::vector<Index> extents;
        Index bytes;
        std::string text;  // empty: those of the next tensor
    };
    struct Entry {
        std::string name;
        Index header, size, end;  // where its header begins, how many bytes it has, and where they end
        bool drawn;
        std::uint32_t checksum;
    };
    static constexpr Index largest = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::uint64_t flags = 0x808;  // names in UTF-8; the checksum comes after the bytes

    std::string_view storage_name() const {
        return out_.type == ElementType::bf16  ? "BFloat16Storage"
               : out_.type == ElementType::f16 ? "HalfStorage"
                                               : "FloatStorage";
    }
    /// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
    void describe(const std::string& name, const std::vector<Index>& extents, std::size_t storage,
                  std::string_view type) {
        std::vector<Index> strides(extents.size());
        Index size = 1;
        for (std::size_t i = extents.size(); i-- > 0; size *= extents[i]) strides[i] = size;
        items_ += pickle::text(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + pickle::text("storage") + "ctorch\n" +
                  std::string(type) + '\n' + pickle::text(std::to_string(storage)) + pickle::text("cpu") +
                  pickle::whole(size) + "tQ" + pickle::whole(0) + pickle::wholes(extents) + pickle::wholes(strides) +
                  '\x89' + pickle::ordered_dictionary() + "tR";
    }

    /// The header of an entry, with as much behind it as lets its bytes begin on a multiple of 64; gives where that is.
    /// source  PyTorch, inline_container.cc; miniz
    Index add_header(const std::string& name, Index size) {
        TESSERA_EXPECTS(size > 0 && size < largest);
        const std::string path = archive_ + name, large = large_offset(out_.bytes);
        std::string text = "PK\x03\x04" + little(0, 2) + little(flags, 2) + little(0, 18) + little(path.size(), 2);
        const Index begin = out_.bytes + 30 + std::ssize(path) + std::ssize(large) + 4;
        const auto padding = static_cast<std::size_t>((64 - begin % 64) % 64);
        text += little(large.size() + 4 + padding, 2) + path + large + "FB" + little(padding, 2) +
                std::string(padding, 'Z');
        const Index data = begin + static_cast<Index>(padding);
        entries_.push_back({path, out_.bytes, size, data + size, true, 0});
        out_.texts.push_back({out_.bytes, std::move(text)});
        out_.bytes = data + size + std::ssize(descriptor(entries_.back(), 0));
        return data;
    }
    void add_entry(const std::string& name, std::string bytes) {
        const Index at = add_header(name, std::ssize(bytes));
        entries_.back().drawn = false;
        entries_.back().checksum = crc32({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
        out_.texts.push_back({at, std::move(bytes)});
    }

    /// The extra field of an entry that begins beyond 4 GB.
    static std::string large_offset(Index header) {
        return header < largest ? "" : little(1, 2) + little(8, 2) + little(static_cast<std::uint64_t>(header), 8);
    }
    /// What follows the bytes of an entry.
    static std::string descriptor(const Entry& entry, std::uint32_t checksum) {
        const std::string size = little(static_cast<std::uint64_t>(entry.size), entry.header < largest ? 4 : 8);
        return "PK\x07\x08" + little(checksum, 4) + size + size;
    }

    /// All that is behind the weights: what follows each entry, and the directory at the end, last of all, so that a file that
    /// was not finished cannot be read.
    static std::vector<PlacedText> directory(const std::vector<Entry>& entries, Index begin,
                                             const std::vector<std::uint32_t>& checksums) {
        std::vector<PlacedText> out;
        std::string records;
        std::size_t tensor = 0;
        for (const Entry& entry : entries) {
            const std::uint32_t checksum = entry.drawn ? checksums[tensor++] : entry.checksum;
            out.push_back({entry.end, descriptor(entry, checksum)});
            const std::string size = little(static_cast<std::uint64_t>(entry.size), 4),
                              large = large_offset(entry.header);
            records += "PK\x01\x02" + little(0, 4) + little(flags, 2) + little(0, 6) + little(checksum, 4) + size +
                       size + little(entry.name.size(), 2) + little(large.size(), 2) + little(0, 10) +
                       little(static_cast<std::uint64_t>(std::min(entry.header, largest)), 4) + entry.name + large;
        }
        const std::uint64_t bytes = records.size(), at = static_cast<std::uint64_t>(begin);
        const std::string count = little(entries.size(), 8);
        std::string text = records + "PK\x06\x06" + little(44, 8) + little(0x2d031e, 4) + little(0, 8) + count + count +
                           little(bytes, 8) + little(at, 8);
        text += "PK\x06\x07" + little(0, 4) + little(at + bytes, 8) + little(1, 4);
        const std::string few = little(std::min<std::size_t>(entries.size(), 0xffff), 2);
        text += "PK\x05\x06" + little(0, 4) + few + few + little(bytes, 4) +
                little(std::min<std::uint64_t>(at, 0xffffffff), 4) + little(0, 2);
        out.push_back({begin, std::move(text)});
        return out;
    }

    PlannedFile out_;
    std::string archive_, items_;
    std::vector<Storage> storages_;
    std::vector<Entry> entries_;
};

}  // namespace tessera::random_checkpoint
