// Features of a frozen image encoder on the disk, so that training reads them instead of making them every epoch.
//
// The file is a safetensors file with one tensor, `features` [pictures, rows, width]; what they were made of is in its metadata. While
// it is made it is called PATH.part, and grows by whole pictures: whoever is interrupted goes on from there.
#pragma once
#include <algorithm>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/checkpoint/save.hpp>
#include <tessera/core/output_file.hpp>
#include <tessera/train/data/feature_key.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What a cache holds: `rows` rows of `width` numbers for each picture, kept as f32 or bf16.
struct FeatureShape {
    Index pictures = 0, rows = 0, width = 0;
    DType type = DType::bf16;
    friend bool operator==(const FeatureShape&, const FeatureShape&) = default;

    Index per_picture() const { return rows * width; }
    Index bytes_per_picture() const { return per_picture() * bits(type) / 8; }
};

/// An open cache; it maps the file, whose pages are read when they are wanted.
class FeatureCache {
  public:
    /// errors  Errc::file_open; Errc::checkpoint_format where the file is no cache; Errc::file_format where its features were made by
    ///         another model, of other pictures, or of pictures that were prepared otherwise
    FeatureCache(const std::filesystem::path& path, const FeatureKey& key) : FeatureCache(path) {
        expect_same("the model's weights", key.model, key_.model);
        expect_same("how pictures are prepared", key.preprocess, key_.preprocess);
        expect_same("the pictures", key.pictures, key_.pictures);
    }
    /// Whatever it was made of; `key` tells.
    /// errors  Errc::file_open; Errc::checkpoint_format
    explicit FeatureCache(const std::filesystem::path& path) : file_(path) {
        const auto fail = [&](const auto&... parts) {
            throw Error(Errc::checkpoint_format, path.string(), ": ", parts...);
        };
        if (file_.note("format") != format)
            fail("expected image features, format '", format, "', found ",
                 file_.note("format").empty() ? "none" : in_quotes(file_.note("format")));
        const StoredTensor& features = file_.tensor("features");
        if (features.shape.size() != 3) fail("features: expected 3 extents, found ", shape_text(features.shape));
        if (features.type != DType::f32 && features.type != DType::bf16)
            fail("features: expected F32 or BF16, found ", name(features.type));
        shape_ = {features.shape[0], features.shape[1], features.shape[2], features.type};
        bytes_ = features.bytes;
        key_ = {file_.note("model"), file_.note("preprocess"), file_.note("pictures")};
    }

    const FeatureShape& shape() const { return shape_; }
    const FeatureKey& key() const { return key_; }
    /// The numbers of a picture as they are stored.
    /// shape   [rows, width] of shape().type
    std::span<const unsigned char> bytes(Index picture) const {
        TESSERA_EXPECTS(picture >= 0 && picture < shape_.pictures);
        const auto each = static_cast<std::size_t>(shape_.bytes_per_picture());
        return bytes_.subspan(static_cast<std::size_t>(picture) * each, each);
    }
    /// Writes the features of a picture to `out`.
    /// shape   out [rows, width]
    void read(Index picture, float* out) const {
        to_floats(shape_.type, bytes(picture).data(), shape_.per_picture(), out);
    }

    static constexpr std::string_view format = "tessera image features 1";

  private:
    void expect_same(const char* what, const std::string& expected, const std::string& found) const {
        if (expected != found)
            throw Error(Errc::file_format, file_.path().string(), ": image features are stale: ", what, ": expected ",
                        in_quotes(expected), ", found ", in_quotes(found),
                        "; remove the file, or let it be built again");
    }

    Safetensors file_;
    FeatureShape shape_;
    FeatureKey key_;
    std::span<const unsigned char> bytes_;
};

/// What becomes of a cache that was made of something else.
enum class StaleCache { refuse, rebuild };

/// Makes features of pictures first, …, first + count − 1.
/// shape   out [count, rows, width]
using ComputeFeatures = std::function<void(Index first, Index count, float* out)>;

namespace detail {

/// The length of the header, and the header, filled up so that the numbers begin on a page.
inline std::string feature_header(const FeatureKey& key, const FeatureShape& shape) {
    Json header;
    header["__metadata__"] = {{"format", FeatureCache::format},
                              {"model", key.model},
                              {"preprocess", key.preprocess},
                              {"pictures", key.pictures}};
    header["features"] = {{"dtype", name(shape.type)},
                          {"shape", {shape.pictures, shape.rows, shape.width}},
                          {"data_offsets", {Index{0}, shape.pictures * shape.bytes_per_picture()}}};
    return header_bytes(header.dump(), 4096);
}

/// Pictures that an interrupted run has left whole in `part`; what is more is cut off. −1: nothing to go on from.
inline Index finished_pictures(const std::filesystem::path& part, std::string_view header, const FeatureShape& shape) {
    std::error_code missing;
    if (!std::filesystem::is_regular_file(part, missing)) return -1;
    Index finished = 0;
    {
        const MappedFile file(part);
        if (!file.text().starts_with(header)) return -1;
        finished = std::min((std::ssize(file.text()) - std::ssize(header)) / shape.bytes_per_picture(), shape.pictures);
    }
    std::filesystem::resize_file(part, header.size() + static_cast<std::size_t>(finished * shape.bytes_per_picture()));
    return finished;
}

}  // namespace detail

/// Opens the cache at `path`, or makes it, `batch` pictures at a time; one that was interrupted is gone on with. Two programs must
/// not make the same file at once.
/// errors  those of FeatureCache: a file that is no cache is never replaced, and a stale one only where `stale` says so;
///         Errc::file_open where it cannot be written; Errc::checkpoint_value where `compute` gives NaN or ∞
/// cost    that of `compute` for the pictures that are missing; batch · rows · width floats
inline FeatureCache build_feature_cache(const std::filesystem::path& path, const FeatureKey& key,
                                        const FeatureShape& shape, Index batch, const ComputeFeatures& compute,
                                        StaleCache stale = StaleCache::refuse,
                                        const std::function<void(Index done, Index all)>& progress = {}) {
    TESSERA_EXPECTS(batch > 0 && shape.pictures > 0 && shape.per_picture() > 0);
    TESSERA_EXPECTS(shape.type == DType::f32 || shape.type == DType::bf16);
    std::error_code missing;
    if (std::filesystem::exists(path, missing)) {
        FeatureCache made(path);
        if (made.key() == key && made.shape() == shape) return made;
        if (stale == StaleCache::refuse) {
            FeatureCache(path, key);
            throw Error(Errc::file_format, path.string(), ": image features are stale: expected ", shape.pictures, "×",
                        shape.rows, "×", shape.width, " of ", name(shape.type), ", found ", made.shape().pictures, "×",
                        made.shape().rows, "×", made.shape().width, " of ", name(made.shape().type),
                        "; remove the file, or let it be built again");
        }
    }

    const std::filesystem::path part = path.string() + ".part";
    const std::string header = detail::feature_header(key, shape);
    Index done = detail::finished_pictures(part, header, shape);
    if (done < 0) std::filesystem::remove(part, missing);
    {
        AppendFile file(part);
        if (done < 0) {
            file.append(header);
            done = 0;
        }
        std::vector<float> features(static_cast<std::size_t>(std::min(batch, shape.pictures) * shape.per_picture()));
        std::vector<bf16> rounded(shape.type == DType::bf16 ? features.size() : 0);
        while (done < shape.pictures) {
            const Index count = std::min(batch, shape.pictures - done), numbers = count * shape.per_picture();
            compute(done, count, features.data());
            const Index bad = first_not_finite(features.data(), numbers, shape.type);
            if (bad < numbers)
                throw Error(Errc::checkpoint_value, path.string(), ": picture ", done + bad / shape.per_picture(),
                            ": expected finite features, found ", features[static_cast<std::size_t>(bad)]);
            const void* bytes = features.data();
            if (shape.type == DType::bf16) {
                std::transform(features.begin(), features.begin() + numbers, rounded.begin(), to_bf16);
                bytes = rounded.data();
            }
            file.append({static_cast<const char*>(bytes), static_cast<std::size_t>(count * shape.bytes_per_picture())});
            file.sync();
            done += count;
            if (progress) progress(done, shape.pictures);
        }
    }
    std::error_code failed;
    std::filesystem::rename(part, path, failed);
    if (failed) throw Error(Errc::file_open, path.string(), ": cannot be written: ", failed.message());
    sync_folder(path.has_parent_path() ? path.parent_path() : ".");
    return FeatureCache(path, key);
}

}  // namespace tessera::inline TESSERA_ISA
