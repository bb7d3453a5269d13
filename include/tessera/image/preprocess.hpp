// From a picture to what an image encoder reads: resized, cropped, scaled to numbers, cut into patches.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <tessera/core/error.hpp>
#include <tessera/core/tensor.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/resize.hpp>

namespace tessera::inline TESSERA_ISA {

/// How a model wants its pictures; the names are those of preprocessor_config.json. The defaults are BLIP-2's.
struct Preprocess {
    bool do_resize = true;
    Index height = 224, width = 224;  // resized to exactly this, unless `shortest_edge` says otherwise
    Index shortest_edge = 0;          // not 0: the shorter side becomes this long, and the aspect is kept
    PassOrder pass_order = PassOrder::pillow_13;
    bool do_center_crop = false;
    Index crop_height = 224, crop_width = 224;
    bool do_rescale = true;
    double rescale_factor = 0.00392156862745098;  // 1/255, as it is written in the files
    bool do_normalize = true;
    std::array<float, 3> image_mean{0.48145466f, 0.4578275f, 0.40821073f};
    std::array<float, 3> image_std{0.26862954f, 0.26130258f, 0.27577711f};
};

/// The middle of a picture; where it is smaller than the crop, black is put around it.
/// shape   [H, W, 3] → [height, width, 3]
inline Image center_crop(const Image& from, Index height, Index width) {
    const auto margin = [](Index whole,
                           Index part) {  // rounded as transformers does: down, and up for what is put around
        return whole >= part ? (whole - part) / 2 : -((part - whole + 1) / 2);
    };
    const Index top = margin(from.height(), height), left = margin(from.width(), width);
    Image out(height, width);
    const Index first = std::max<Index>(left, 0), last = std::min(from.width(), left + width);
    for (Index y = std::max<Index>(-top, 0); y < height && top + y < from.height(); ++y)
        std::copy_n(from.row(top + y) + 3 * first, 3 * (last - first), out.row(y) + 3 * (first - left));
    return out;
}

/// A picture as it is before its bytes become numbers: resized and cropped.
/// shape   [H, W, 3] → [settings.height, settings.width, 3], or the crop's extents
/// errors  Errc::image_size where the picture is empty, or so narrow that keeping its aspect would make it too large
inline Image resize_and_crop(const Image& image, const Preprocess& settings) {
    constexpr Index most_pixels = 178'956'970;
    Index height = settings.height, width = settings.width;
    if (settings.shortest_edge > 0 && image.height() > 0 && image.width() > 0) {
        const Index edge = settings.shortest_edge, shorter = std::min(image.height(), image.width());
        height = edge * image.height() / shorter;
        width = edge * image.width() / shorter;
        if (height > most_pixels / width)
            throw Error(Errc::image_size, "a picture of ", image.width(), "×", image.height(), " pixels would become ",
                        width, "×", height, " with a shortest edge of ", edge);
    }
    const auto resized = [&] { return resize(image, height, width, settings.pass_order); };
    if (!settings.do_center_crop) return settings.do_resize ? resized() : image;
    return center_crop(settings.do_resize ? resized() : image, settings.crop_height, settings.crop_width);
}

/// A picture as the numbers that an image encoder reads, channel by channel.
/// shape   [H, W, 3] → [3, settings.height, settings.width], or the crop's extents
/// units   (byte · rescale_factor − image_mean) / image_std, rounded to float after each step
/// errors  those of resize_and_crop
/// cost    that of resize; one look-up a number
/// source  the image processors of transformers 5 (the Pillow ones), equal to the bit
inline Tensor<float, 3, dyn, dyn> preprocess(const Image& image, const Preprocess& settings) {
    const Image ready = resize_and_crop(image, settings);
    std::array<std::array<float, 256>, 3> number{};  // of each byte in each channel
    for (std::size_t channel = 0; channel < 3; ++channel)
        for (std::size_t byte = 0; byte < 256; ++byte) {
            float value = static_cast<float>(byte);
            if (settings.do_rescale) value = static_cast<float>(static_cast<double>(byte) * settings.rescale_factor);
            if (settings.do_normalize) value = (value - settings.image_mean[channel]) / settings.image_std[channel];
            number[channel][byte] = value;
        }
    Tensor<float, 3, dyn, dyn> out({3, ready.height(), ready.width()});
    const Index pixels = ready.height() * ready.width();
    const unsigned char* bytes = ready.pixels.data();
    for (Index channel = 0; channel < 3; ++channel) {
        const auto& of = number[static_cast<std::size_t>(channel)];
        float* to = out.data() + channel * pixels;
        for (Index i = 0; i < pixels; ++i) to[i] = of[bytes[3 * i + channel]];
    }
    return out;
}

/// Cuts pixels into square patches, row by row; each becomes a row in the order of a convolution's weight. What does not
/// fill a patch at the right and at the bottom is left out.
/// shape   pixels [3, H, W] → out [(H/patch)·(W/patch), 3·patch²]
/// errors  none at run time
/// cost    one copy; allocates nothing
inline void patchify(View<float, dyn, dyn> out, View<const float, 3, dyn, dyn> pixels, Index patch) {
    const Index height = pixels.extent(1), width = pixels.extent(2);
    TESSERA_EXPECTS(patch > 0);
    TESSERA_EXPECTS(out.extent(0) == (height / patch) * (width / patch) && out.extent(1) == 3 * patch * patch);
    float* to = out.data();
    for (Index top = 0; top + patch <= height; top += patch)
        for (Index left = 0; left + patch <= width; left += patch)
            for (Index channel = 0; channel < 3; ++channel)
                for (Index y = top; y < top + patch; ++y, to += patch)
                    std::copy_n(pixels.data() + (channel * height + y) * width + left, patch, to);
}

}  // namespace tessera::inline TESSERA_ISA
