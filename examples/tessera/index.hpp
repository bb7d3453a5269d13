// The features of many pictures in one file, so that a picture is computed once.
#pragma once
#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/checkpoint/save.hpp>
#include <vector>

#include "json_line.hpp"

namespace program {

/// A picture file as it was when its features were computed.
struct IndexedPicture {
    std::string name;
    std::int64_t bytes = 0, changed = 0;  // size, and time of the last change
    std::vector<float> features;          // [queries, features]

    /// Whether the file is still there and the same, as far as size and time tell.
    bool is_current() const {
        std::error_code gone;
        return std::filesystem::is_regular_file(name, gone) && *this == of(name, features);
    }
    /// errors  tessera::Errc::file_open
    static IndexedPicture of(const std::string& name, std::vector<float> features) {
        std::error_code missing;
        const auto size = std::filesystem::file_size(name, missing);
        const auto time = missing ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(name, missing);
        if (missing) throw tessera::Error(tessera::Errc::file_open, name, ": ", missing.message());
        return {name, static_cast<std::int64_t>(size), time.time_since_epoch().count(), std::move(features)};
    }
    friend bool operator==(const IndexedPicture&, const IndexedPicture&) = default;
};

/// A safetensors file: `image_features` [pictures, queries, features], and what they were computed of.
class PictureIndex {
  public:
    /// Reads the file if there is one. `weights` is a checksum of those the features come from, `reading` says how the model
    /// sees pictures: as text that is compared.
    /// errors  Errc::checkpoint_format where the file is no index; Errc::option_value where it is of other weights, or pictures were
    ///         read otherwise
    PictureIndex(std::filesystem::path path, std::string weights, std::string reading, tessera::Index queries,
                 tessera::Index width)
        : path_(std::move(path)),
          weights_(std::move(weights)),
          reading_(std::move(reading)),
          queries_(queries),
          width_(width) {
        std::error_code ignored;
        if (!std::filesystem::exists(path_, ignored)) return;
        using namespace tessera;
        const Safetensors file(path_);
        const auto wrong = [&](const auto&... parts) {
            throw Error(Errc::checkpoint_format, path_.string(), ": ", parts...);
        };
        if (file.note("pictures").empty()) wrong("expected an index of pictures, found another safetensors file");
        if (file.note("weights") != weights_)
            throw Error(Errc::option_value, path_.string(), ": expected features of the weights that are asked for (",
                        weights_, "), found those of others (", in_quotes(file.note("weights")), ")");
        if (const auto found = file.note("reading"); found != reading_)
            throw Error(Errc::option_value, path_.string(), ": expected pictures read as by these options (", reading_,
                        "), found ",
                        found.empty() ? "an index that does not say how, to be deleted and made again" : "",
                        printable(found, 600));
        const JsonFile json(file.note("pictures"), path_.string(), Errc::checkpoint_format);
        const StoredTensor& stored = file.tensor("image_features");
        const std::vector<Index> shape{static_cast<Index>(json.root().list().size()), queries_, width_};
        if (stored.type != DType::f32 || stored.shape != shape)
            wrong("image_features: expected F32 ", shape_text(shape), ", found ", name(stored.type), ' ',
                  shape_text(stored.shape));
        const auto features = stored.to_floats();
        auto at = features.begin();
        for (const JsonValue picture : json.root().list()) {
            constexpr Index most = std::numeric_limits<Index>::max();
            pictures_.push_back({std::string(picture["name"].text()),
                                 picture["bytes"].whole(0, most),
                                 picture["changed"].whole(-most - 1, most),
                                 {at, at + queries_ * width_}});
            at += queries_ * width_;
        }
    }

    const std::vector<IndexedPicture>& pictures() const { return pictures_; }
    /// Null if there are no features of it, or the file has changed since.
    const IndexedPicture* find(const std::string& name) const {
        const auto at = std::ranges::find(pictures_, name, &IndexedPicture::name);
        return at != pictures_.end() && at->is_current() ? &*at : nullptr;
    }
    void set(IndexedPicture picture) {
        const auto at = std::ranges::find(pictures_, picture.name, &IndexedPicture::name);
        if (at == pictures_.end())
            pictures_.push_back(std::move(picture));
        else
            *at = std::move(picture);
    }
    /// errors  Errc::file_open; the file is then as it was before
    void save() const {
        using namespace tessera;
        Json list = Json::array();
        std::vector<float> features;
        for (const IndexedPicture& picture : pictures_) {
            list.push_back({{"name", picture.name}, {"bytes", picture.bytes}, {"changed", picture.changed}});
            features.insert(features.end(), picture.features.begin(), picture.features.end());
        }
        SafetensorsWriter writer;
        writer.note("weights", weights_);
        writer.note("reading", reading_);
        writer.note("pictures", json_text(list));
        writer.add("image_features", {static_cast<Index>(pictures_.size()), queries_, width_}, features.data());
        writer.write(path_);
    }

  private:
    std::filesystem::path path_;
    std::string weights_, reading_;
    tessera::Index queries_, width_;
    std::vector<IndexedPicture> pictures_;
};

/// `names`, and in the place of each folder all pictures below it, in the order of their names.
inline std::vector<std::string> with_folders(const std::vector<std::string>& names) {
    namespace fs = std::filesystem;
    std::vector<std::string> out;
    for (const std::string& name : names) {
        std::error_code ignored;
        if (!fs::is_directory(name, ignored)) {
            out.push_back(name);
            continue;
        }
        std::vector<std::string> found;
        for (const auto& entry :
             fs::recursive_directory_iterator(name, fs::directory_options::skip_permission_denied, ignored)) {
            std::string kind = entry.path().extension().string();
            std::ranges::transform(kind, kind.begin(),
                                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
            for (const char* known : {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tga", ".ppm", ".pgm"})
                if (kind == known && entry.is_regular_file(ignored)) found.push_back(entry.path().string());
        }
        std::ranges::sort(found);
        out.insert(out.end(), found.begin(), found.end());
    }
    return out;
}

}  // namespace program
