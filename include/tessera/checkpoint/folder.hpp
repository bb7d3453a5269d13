// A checkpoint folder as Hugging Face lays it out: one file of weights, or several with an index; or a file by itself.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/checkpoint/torch_file.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Opens a file of weights: one of torch.save if it is called so or begins so, or else a safetensors file.
/// errors  those of Safetensors and TorchFile
inline WeightFile open_weights(const std::filesystem::path& path) {
    const std::string ending = path.extension().string();
    const bool is_torch = ending == ".bin" || ending == ".pth" || ending == ".pt";
    if (is_torch || (ending != ".safetensors" && TorchFile::is_one(path))) return TorchFile(path);
    return Safetensors(path);
}

/// The weights of a folder: the first that is there of `model.safetensors`, the files that `model.safetensors.index.json`
/// names, `pytorch_model.bin`, and those that `pytorch_model.bin.index.json` names. Or one file by itself, of either format.
/// errors  Errc::file_open, Errc::checkpoint_format; a file outside the folder is never opened
/// cost    memory for the descriptions only
class Checkpoint {
  public:
    struct Entry {
        const StoredTensor* tensor;
        const WeightFile* file;
        std::string_view name() const { return tensor->name; }
    };

    explicit Checkpoint(const std::filesystem::path& folder) : folder_(folder) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(folder, ignored)) {
            folder_ = folder.parent_path();
            files_.push_back(open_weights(folder));
            collect({}, {});
        } else {
            if (!open_folder("model", ".safetensors") && !open_folder("pytorch_model", ".bin")) refuse();
            if (std::filesystem::exists(folder / "config.json", ignored)) config_folder_ = folder;
        }
    }

    /// Where it lies; config.json is beside it.
    const std::filesystem::path& folder() const { return folder_; }
    /// The folder, if the weights were looked for there and a config.json is beside them; or else empty.
    const std::filesystem::path& config_folder() const { return config_folder_; }
    std::span<const WeightFile> files() const { return files_; }
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
    std::string place() const { return files_.size() == 1 ? files_.front().path().string() : folder_.string(); }

  private:
    using WeightMap = std::map<std::string, std::string, std::less<>>;  // tensor → file

    /// Opens `NAME.ending`, or else what `NAME.ending.index.json` names; false if there is neither.
    bool open_folder(const std::string& name, const std::string& ending) {
        const auto single = folder_ / (name + ending), index = folder_ / (name + ending + ".index.json");
        std::error_code ignored;
        if (std::filesystem::exists(single, ignored)) {
            files_.push_back(open_weights(single));
            collect({}, {});
            return true;
        }
        if (!std::filesystem::exists(index, ignored)) return false;
        const WeightMap wanted = read_index(index, ending);
        for (const auto& entry : wanted) {
            const auto is_open = [&](const WeightFile& file) { return file.path().filename() == entry.second; };
            if (std::ranges::none_of(files_, is_open)) files_.push_back(open_weights(folder_ / entry.second));
        }
        collect(wanted, index);
        return true;
    }

    [[noreturn]] void refuse() const {
        namespace fs = std::filesystem;
        std::error_code ignored;
        const std::string expected =
            folder_.string() +
            ": expected model.safetensors or pytorch_model.bin, or one of them with .index.json, found ";
        if (!fs::is_directory(folder_, ignored)) throw Error(Errc::file_open, expected, "no such folder");
        for (const auto& file : fs::directory_iterator(folder_, ignored))
            for (const char* ending : {".safetensors", ".bin", ".pth", ".pt"})
                if (file.path().extension() == ending)
                    throw Error(Errc::file_open, expected, "only ", in_quotes(file.path().filename().string()),
                                ": give its own path if it holds the weights");
        throw Error(Errc::file_open, expected, "none of them");
    }

    static WeightMap read_index(const std::filesystem::path& path, std::string_view ending) {
        const JsonFile json(path, Errc::checkpoint_format);
        WeightMap out;
        for (const JsonValue file : json.root()["weight_map"].object()) {
            const std::string name(file.text());
            const bool plain = printable(name, name.size()) == name && name.find_first_of("/\\") == name.npos;
            if (!plain || !name.ends_with(ending))
                throw Error(Errc::checkpoint_format, path.string(), ": weight_map: expected a ", ending,
                            " file of this folder for ", in_quotes(file.key()), ", found ", in_quotes(name));
            out.emplace(file.key(), name);
        }
        return out;
    }

    void collect(const WeightMap& wanted, const std::filesystem::path& index) {
        for (const WeightFile& file : files_)
            for (const StoredTensor& tensor : file.tensors()) tensors_.push_back({&tensor, &file});
        std::ranges::stable_sort(tensors_, {}, &Entry::name);
        for (const auto& [tensor, file] : wanted) {
            const auto first = std::ranges::lower_bound(tensors_, std::string_view(tensor), {}, &Entry::name);
            auto right = first;
            while (right != tensors_.end() && right->name() == tensor && right->file->path().filename() != file)
                ++right;
            if (right == tensors_.end() || right->name() != tensor)
                throw Error(Errc::checkpoint_format, index.string(), ": ", in_quotes(tensor), " should be in ",
                            in_quotes(file), ", which does not hold it");
            std::swap(*right, *first);  // the one that the index means counts
        }
        const auto same = [](const Entry& a, const Entry& b) { return a.name() == b.name(); };
        tensors_.erase(std::unique(tensors_.begin(), tensors_.end(), same), tensors_.end());
    }

    std::filesystem::path folder_, config_folder_;
    std::vector<WeightFile> files_;
    std::vector<Entry> tensors_;
};

}  // namespace tessera::inline TESSERA_ISA
