// The pictures that a data set names, each once, and where it names them.
#pragma once
#include <filesystem>
#include <string>
#include <tessera/core/printable.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/train/data/json_rows.hpp>
#include <unordered_map>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Pictures by number, in the order in which they are first named. Moves, does not copy.
class PictureList {
  public:
    /// Names are paths below `root`, unless they begin with '/'.
    explicit PictureList(std::filesystem::path root) : root_(std::move(root)) {}
    PictureList(PictureList&&) = default;
    PictureList& operator=(PictureList&&) = default;

    /// The number of that picture, which `row` names.
    Index add(std::string_view name, Index row) {
        const auto [at, is_new] = numbers_.try_emplace(std::string(name), size());
        if (is_new) named_.push_back({&at->first, row});
        return at->second;
    }
    /// How rows are called in messages; to be set when they are known.
    void name_rows(RowPlaces places) { places_ = std::move(places); }

    Index size() const { return static_cast<Index>(named_.size()); }
    const std::string& name(Index picture) const { return *at(picture).name; }
    std::filesystem::path path(Index picture) const { return root_ / name(picture); }
    /// "captions.jsonl:3", where it is named first.
    std::string where(Index picture) const { return places_(at(picture).row); }

    /// errors  those of read_image, with the row that names the picture
    Image read(Index picture, const DecodeOptions& options = {}) const {
        try {
            return read_image(path(picture), options);
        } catch (const Error& error) {
            const std::string_view message = error.what();  // "[image.decode] cat.jpg: …"
            throw Error(error.code, where(picture), ": image: ", message.substr(message.find("] ") + 2));
        }
    }

    /// Looks whether all pictures are there, before hours of training find out.
    /// errors  Errc::file_open names the row and the path of the first that is not a file
    /// cost    a look at each file's entry, some microseconds
    void expect_files() const {
        for (Index i = 0; i < size(); ++i) {
            std::error_code failed;
            const auto status = std::filesystem::status(path(i), failed);
            if (!std::filesystem::is_regular_file(status))
                throw Error(Errc::file_open, where(i), ": image: ", path(i).string(), ": ",
                            std::filesystem::exists(status) ? "expected a file, found something else"
                                                            : "No such file or directory");
        }
    }

  private:
    struct Named {
        const std::string* name;  // the key in numbers_
        Index row;
    };
    const Named& at(Index picture) const {
        TESSERA_EXPECTS(picture >= 0 && picture < size());
        return named_[static_cast<std::size_t>(picture)];
    }

    std::filesystem::path root_;
    RowPlaces places_;
    std::unordered_map<std::string, Index> numbers_;
    std::vector<Named> named_;
};

}  // namespace tessera::inline TESSERA_ISA
