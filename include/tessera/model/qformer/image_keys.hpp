// What texts read of pictures, computed once for all of them.
#pragma once
#include <tessera/nn/cache.hpp>

namespace tessera::inline TESSERA_ISA {

/// The cross-attention's keys and values of some pictures, in each layer that has a cross-attention. QFormer::read makes
/// them.
/// shape   per layer [images·patches, Width] keys and as many values
/// cost    8·layers·images·patches·Width bytes: 9.5 MB for a picture of BLIP-2 with 257 patches
template <Index Width>
class ImageKeys {
  public:
    ImageKeys(Index layers, Index images, Index patches)
        : images_(images), patches_(patches), values_(size(layers, images, patches)) {}
    /// In memory that the caller lends, `size` floats.
    ImageKeys(float* memory, Index layers, Index images, Index patches)
        : images_(images),
          patches_(patches),
          values_(memory, size(layers, images, patches), std::shared_ptr<const void>(std::shared_ptr<void>(), memory)) {
    }
    static constexpr Index size(Index layers, Index images, Index patches) {
        return 2 * layers * images * patches * Width;
    }

    Index images() const { return images_; }
    Index patches() const { return patches_; }  // of each picture
    Index bytes() const { return values_.size() * Index{sizeof(float)}; }

    Rows<Width> keys(Index layer) { return {values_.data() + 2 * layer * plane(), {images_ * patches_, Width}}; }
    Rows<Width> values(Index layer) {
        return {values_.data() + (2 * layer + 1) * plane(), {images_ * patches_, Width}};
    }
    /// Those of `count` pictures from `first` on.
    KeyValues<Width> of(Index layer, Index first, Index count) const {
        const float* const keys = values_.data() + 2 * layer * plane() + first * patches_ * Width;
        return {{keys, {count * patches_, Width}}, {keys + plane(), {count * patches_, Width}}};
    }

  private:
    Index plane() const { return images_ * patches_ * Width; }

    Index images_, patches_;
    Buffer<float> values_;
};

/// The keys and values of the queries' self-attention in one layer: all that text sees there of a picture under
/// masks::multimodal_causal.
/// shape   of n pictures [n·Queries, Width] each
template <Index Width>
struct QueryKeys {
    Rows<Width> keys, values;
};

}  // namespace tessera::inline TESSERA_ISA
