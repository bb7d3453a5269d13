// A checkpoint folder as Hugging Face lays it out: one file of weights, or several with an index.
#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <tessera/checkpoint/safetensors.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The weights of a folder: `model.safetensors`, or the files that `model.safetensors.index.json` names; or one
/// safetensors file by itself.
/// errors  Errc::file_open, Errc::checkpoint_format; a file outside the folder is never opened
/// cost    memory for the headers only
class Checkpoint {
  public:
    struct Entry {
        const StoredTensor* tensor;
        const Safetensors* file;
        std::string_view name() const { return tensor->name; }
    };

    explicit Checkpoint(const std::filesystem::path& folder) : folder_(folder) {
        namespace fs = std::filesystem;
        std::error_code ignored;
        if (fs::is_regular_file(folder, ignored)) {
            open(folder);
            folder_ = folder.parent_path();
            collect({});
        } else if (fs::exists(folder / single, ignored)) {
            open(folder / single);
            collect({});
        } else if (fs::exists(folder / index, ignored)) {
            const auto wanted = read_index(folder / index);
            for (const auto& entry : wanted) {
                const auto is_open = [&](const auto& file) { return file->path().filename() == entry.second; };
                if (std::ranges::none_of(files_, is_open)) open(folder / entry.second);
            }
            collect(wanted);
        } else {
            refuse();
        }
    }

    /// Where it lies; config.json is beside it.
    const std::filesystem::path& folder() const { return folder_; }
    std::span<const std::unique_ptr<Safetensors>> files() const { return files_; }
    /// In the order of their names.
    std::span<const Entry> tensors() const { return tensors_; }
    /// Null if there is none of that name.
    const Entry* find(std::string_view name) const {
        const auto at = std::ranges::lower_bound(tensors_, name, {}, &Entry::name);
        return at != tensors_.end() && at->name() == name ? &*at : nullptr;
    }
    /// How much it holds, of each type.
    struct Amount {
        Index tensors = 0, numbers = 0, bytes = 0;
    };
    std::map<DType, Amount> amounts() const {
        std::map<DType, Amount> out;
        for (const Entry& entry : tensors_) {
            Amount& amount = out[entry.tensor->type];
            ++amount.tensors;
            amount.numbers += entry.tensor->size;
            amount.bytes += static_cast<Index>(entry.tensor->bytes.size());
        }
        return out;
    }
    /// For messages: the file, or the folder if there are several.
    std::string place() const { return files_.size() == 1 ? files_.front()->path().string() : folder_.string(); }

  private:
    static constexpr const char* single = "model.safetensors";
    static constexpr const char* index = "model.safetensors.index.json";
    using WeightMap = std::map<std::string, std::string, std::less<>>;  // tensor → file

    void open(const std::filesystem::path& path) { files_.push_back(std::make_unique<Safetensors>(path)); }

    [[noreturn]] void refuse() const {
        namespace fs = std::filesystem;
        std::error_code ignored;
        const std::string expected = folder_.string() + ": expected " + single + " or " + index + ", found ";
        if (!fs::is_directory(folder_, ignored)) throw Error(Errc::file_open, expected, "no such folder");
        for (const auto& file : fs::directory_iterator(folder_, ignored))
            if (file.path().extension() == ".bin" || file.path().extension() == ".pth")
                throw Error(Errc::file_open, expected, "only ", in_quotes(file.path().filename().string()),
                            ", which holds Python objects and is not read: save the model as safetensors");
        throw Error(Errc::file_open, expected, "neither");
    }

    static WeightMap read_index(const std::filesystem::path& path) {
        const JsonFile json(path, Errc::checkpoint_format);
        WeightMap out;
        for (const JsonValue file : json.root()["weight_map"].object()) {
            const std::string name(file.text());
            const bool plain = printable(name, name.size()) == name && name.find_first_of("/\\") == name.npos;
            if (!plain || !name.ends_with(".safetensors"))
                throw Error(Errc::checkpoint_format, path.string(),
                            ": weight_map: expected a .safetensors file of this folder for ", in_quotes(file.key()),
                            ", found ", in_quotes(name));
            out.emplace(file.key(), name);
        }
        return out;
    }

    void collect(const WeightMap& wanted) {
        for (const auto& file : files_)
            for (const StoredTensor& tensor : file->tensors()) tensors_.push_back({&tensor, file.get()});
        std::ranges::stable_sort(tensors_, {}, &Entry::name);
        for (const auto& [tensor, file] : wanted) {
            const auto first = std::ranges::lower_bound(tensors_, std::string_view(tensor), {}, &Entry::name);
            auto right = first;
            while (right != tensors_.end() && right->name() == tensor && right->file->path().filename() != file)
                ++right;
            if (right == tensors_.end() || right->name() != tensor)
                throw Error(Errc::checkpoint_format, (folder_ / index).string(), ": ", in_quotes(tensor),
                            " should be in ", in_quotes(file), ", which does not hold it");
            std::swap(*right, *first);  // the one that the index means counts
        }
        const auto same = [](const Entry& a, const Entry& b) { return a.name() == b.name(); };
        tensors_.erase(std::unique(tensors_.begin(), tensors_.end(), same), tensors_.end());
    }

    std::filesystem::path folder_;
    std::vector<std::unique_ptr<Safetensors>> files_;
    std::vector<Entry> tensors_;
};

}  // namespace tessera::inline TESSERA_ISA
