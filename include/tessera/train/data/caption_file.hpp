// Pictures and their captions: JSON lines, or LAVIS's annotation JSON.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <tessera/core/random_stream.hpp>
#include <tessera/train/data/picture_list.hpp>
#include <unordered_map>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A line of a caption file; an epoch goes through all of them.
struct CaptionRow {
    Index picture;   // its number in CaptionFile::pictures()
    Index image_id;  // the same number for rows with the same `image_id`; without ids, for those with the same picture
    Index first_caption;  // in CaptionFile::captions()
    Index captions;       // how many it has
};

/// A data set of captions:
///     {"image": "cats/1.jpg", "caption": "a cat asleep on a red sofa", "image_id": 1}
///     {"image": "dogs/7.jpg", "captions": ["a dog with a ball", "a brown dog at play"], "image_id": "dog 7"}
/// or one list of such objects, as LAVIS has it. `image_id` is in all rows or in none; other keys are ignored.
class CaptionFile {
  public:
    /// Pictures lie below `root`, by default beside the file. They are not opened: pictures().expect_files() looks for them.
    /// errors  Errc::file_open; Errc::file_format names the row, what was expected and what was found
    explicit CaptionFile(const std::filesystem::path& path, const std::filesystem::path& root = {})
        : pictures_(root.empty() ? path.parent_path() : root) {
        std::unordered_map<std::string, Index> ids;
        std::vector<Index> id_of_picture;  // −1: none yet
        bool has_ids = false;
        pictures_.name_rows(for_each_json_row(path, [&](const JsonValue& json, Index number) {
            CaptionRow row{};
            row.picture = pictures_.add(expect_text(json["image"], "the path of a picture"), number);
            row.first_caption = static_cast<Index>(captions_.size());
            const auto one = json.find("caption"), many = json.find("captions");
            if (bool(one) == bool(many))
                json.fail("expected 'caption' or 'captions', found ", one ? "both" : "neither");
            for_each_text(one ? *one : *many, [&](std::string_view text) { captions_.emplace_back(text); });
            row.captions = static_cast<Index>(captions_.size()) - row.first_caption;

            const auto id = json.find("image_id");
            if (!rows_.empty() && bool(id) != has_ids)
                json.fail("image_id: expected in all rows or in none, found rows with and without it");
            has_ids = bool(id);
            row.image_id = row.picture;
            if (id) {
                const std::string text = id->is_text() ? std::string(id->text()) : std::to_string(number_of(*id));
                row.image_id = ids.try_emplace(text, static_cast<Index>(ids.size())).first->second;
            }
            id_of_picture.resize(static_cast<std::size_t>(pictures_.size()), -1);
            Index& known = id_of_picture[static_cast<std::size_t>(row.picture)];
            if (known >= 0 && known != row.image_id)
                json.fail("image_id: expected the same as in other rows of this picture, found ", id->shown());
            known = row.image_id;
            rows_.push_back(row);
        }));
    }

    /// Rows.
    Index size() const { return static_cast<Index>(rows_.size()); }
    const CaptionRow& operator[](Index row) const {
        TESSERA_EXPECTS(row >= 0 && row < size());
        return rows_[static_cast<std::size_t>(row)];
    }
    /// The captions of all rows.
    std::span<const std::string> captions() const { return captions_; }
    std::span<const std::string> captions(Index row) const {
        return captions().subspan(static_cast<std::size_t>((*this)[row].first_caption),
                                  static_cast<std::size_t>((*this)[row].captions));
    }
    const PictureList& pictures() const { return pictures_; }

    /// Which of captions() a row shows in an epoch, by chance where it has several.
    Index draw_caption(Index row, std::uint64_t seed, Index epoch) const {
        constexpr std::uint64_t use = 0x63617074696f6e;  // "caption"
        const CaptionRow& from = (*this)[row];
        return from.first_caption + RandomStream(seed, use, epoch, row).below(from.captions);
    }

  private:
    static Index number_of(const JsonValue& id) {
        constexpr Index most = Index{1} << 53;  // of whole numbers that all programs write alike
        if (!id.is_number()) id.expected("a text or a whole number");
        return id.whole(-most, most);
    }

    PictureList pictures_;
    std::vector<CaptionRow> rows_;
    std::vector<std::string> captions_;
};

}  // namespace tessera::inline TESSERA_ISA
