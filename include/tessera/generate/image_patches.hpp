// From a picture to what an image encoder reads.
#pragma once
#include <tessera/image/preprocess.hpp>
#include <tessera/model/vit/vit.hpp>

namespace tessera::inline TESSERA_ISA {

/// The patches of a picture, in scratch memory, and how they lie.
/// shape   rows [grid.size(), 3·patch²]
template <class Vision>
struct ImagePatches {
    Rows<Vision::config.patch_pixels()> rows;
    Grid grid;

    ImagePatches(const Image& image, const Preprocess& settings, Scratch& s) {
        constexpr Index patch = Vision::config.patch;
        const auto pixels = preprocess(image, settings);
        s.name("pixel_values", -1,
               View<const float, dyn, dyn>(pixels.data(), {3 * pixels.extent(1), pixels.extent(2)}));
        grid = {pixels.extent(1) / patch, pixels.extent(2) / patch};
        rows = s.rows<Vision::config.patch_pixels()>(grid.size());
        patchify(rows, pixels.view(), patch);
    }
};

}  // namespace tessera::inline TESSERA_ISA
