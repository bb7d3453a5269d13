// Where a training step gets its pictures from: patches that are cut from files, or features from the disk.
#pragma once
#include <functional>
#include <optional>
#include <tessera/image/augment.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/train/data/feature_cache.hpp>

namespace tessera::inline TESSERA_ISA {

/// Each picture as `rows` rows of `columns` numbers.
struct ImageRows {
    Index rows = 0, columns = 0;
    /// Writes a picture as it is shown in that epoch to row `item` of the data; called by several threads at once.
    /// shape   out [rows, columns]
    std::function<void(Index picture, Index epoch, Index item, float* out)> read;
};

/// Features of a cache, which has to outlive it.
inline ImageRows cached_features(const FeatureCache& cache) {
    return {cache.shape().rows, cache.shape().width,
            [&cache](Index picture, Index, Index, float* out) { cache.read(picture, out); }};
}

/// How pictures are read for training.
struct ReadPictures {
    Preprocess preprocess{};
    DecodeOptions decode{};
    std::optional<Augment> augment{};  // resizes to augment->size instead of what preprocess says
    std::uint64_t seed = 0;            // of augmentation
};

/// Patches of `patch` × `patch` pixels, what an image encoder reads. `pictures` have to outlive it.
/// shape   rows (H/patch)·(W/patch), columns 3·patch²
/// errors  Errc::option_value where pictures would differ in size, or a setting of augmentation is out of range; reading: those of
///         PictureList::read
inline ImageRows picture_patches(const PictureList& pictures, const ReadPictures& options, Index patch) {
    const Preprocess& settings = options.preprocess;
    if (options.augment) options.augment->expect_valid();
    if (!options.augment && !settings.do_center_crop && (!settings.do_resize || settings.shortest_edge > 0))
        throw Error(Errc::option_value, "preprocess: expected a size that all pictures get, found ",
                    settings.do_resize ? "a shortest edge without a crop" : "no resizing");
    Index height = settings.do_center_crop ? settings.crop_height : settings.height;
    Index width = settings.do_center_crop ? settings.crop_width : settings.width;
    if (options.augment) height = width = options.augment->size;
    if (patch < 1 || height < patch || width < patch)
        throw Error(Errc::option_value, "patch: expected 1 to ", std::min(height, width), ", found ", patch);
    const Index rows = (height / patch) * (width / patch), columns = 3 * patch * patch;
    return {rows, columns, [=, &pictures](Index picture, Index epoch, Index item, float* out) {
                Image image = pictures.read(picture, options.decode);
                Preprocess numbers = options.preprocess;
                if (options.augment) {
                    image = augment(image, *options.augment, options.seed, epoch, item);
                    numbers.do_resize = numbers.do_center_crop = false;
                }
                patchify({out, {rows, columns}}, preprocess(image, numbers).view(), patch);
            }};
}

}  // namespace tessera::inline TESSERA_ISA
