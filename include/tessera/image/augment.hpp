// Pictures changed by chance, as LAVIS trains with them. What is drawn depends on seed, epoch and item only.
#pragma once
#include <algorithm>
#include <cmath>
#include <tessera/core/random_stream.hpp>
#include <tessera/image/affine.hpp>
#include <tessera/image/enhance.hpp>
#include <tessera/image/resize.hpp>

namespace tessera::inline TESSERA_ISA {

/// A few operations drawn from ten, which change brightness, detail and place.
/// source  Cubuk 2020 (RandAugment), in the form of LAVIS: 2 operations of level 5, of which each happens half of the time. (There
///         brightness and sharpness do nothing at level 5, since their factor is 1; and autocontrast, as NumPy counts in bytes, makes
///         every channel white that has no black: here it is Pillow's, which it says it is.)
struct RandAugment {
    Index operations = 0;      // drawn one after another, the same one twice as well
    double probability = 0.5;  // of each, to happen
    double level = 5;          // strength, 0 to 10
};

/// The defaults are `blip2_image_train`; `.rand_augment = {.operations = 2}` makes them `blip_image_train`.
struct Augment {
    Index size = 224;                                 // of the square that comes out
    double min_scale = 0.5, max_scale = 1;            // share of the picture's area that is cut out
    double min_ratio = 3.0 / 4, max_ratio = 4.0 / 3;  // width / height of that part
    double flip = 0.5;                                // probability of left and right to change places
    RandAugment rand_augment{};
    PassOrder pass_order = PassOrder::pillow_13;

    /// errors  Errc::option_value names the setting that is out of range
    void expect_valid() const {
        const auto expect = [](bool right, const char* name, const char* expected, double found) {
            if (!right) throw Error(Errc::option_value, "augment.", name, ": expected ", expected, ", found ", found);
        };
        expect(size >= 1 && size <= 4096, "size", "1 to 4096", static_cast<double>(size));
        expect(max_scale > 0 && max_scale <= 1, "max_scale", "above 0, at most 1", max_scale);
        expect(min_scale > 0 && min_scale <= max_scale, "min_scale", "above 0, at most max_scale", min_scale);
        expect(max_ratio > 0 && std::isfinite(max_ratio), "max_ratio", "above 0", max_ratio);
        expect(min_ratio > 0 && min_ratio <= max_ratio, "min_ratio", "above 0, at most max_ratio", min_ratio);
        expect(flip >= 0 && flip <= 1, "flip", "0 to 1", flip);
        expect(rand_augment.operations >= 0 && rand_augment.operations <= 100, "rand_augment.operations", "0 to 100",
               static_cast<double>(rand_augment.operations));
        expect(rand_augment.probability >= 0 && rand_augment.probability <= 1, "rand_augment.probability", "0 to 1",
               rand_augment.probability);
        expect(rand_augment.level >= 0 && rand_augment.level <= 10, "rand_augment.level", "0 to 10",
               rand_augment.level);
    }
};

/// A rectangle of a picture.
struct Crop {
    Index top = 0, left = 0, height = 0, width = 0;
    friend bool operator==(const Crop&, const Crop&) = default;
};

/// errors  the rectangle must lie in the picture
inline Image crop(const Image& image, const Crop& part) {
    TESSERA_EXPECTS(part.top >= 0 && part.left >= 0 && part.top + part.height <= image.height() &&
                    part.left + part.width <= image.width());
    Image out(part.height, part.width);
    for (Index y = 0; y < part.height; ++y)
        std::copy_n(image.row(part.top + y) + 3 * part.left, 3 * part.width, out.row(y));
    return out;
}

/// Left and right change places.
inline Image flip_horizontally(const Image& image) {
    Image out(image.height(), image.width());
    for (Index y = 0; y < image.height(); ++y)
        for (Index x = 0; x < image.width(); ++x)
            std::copy_n(image.row(y) + 3 * x, 3, out.row(y) + 3 * (image.width() - 1 - x));
    return out;
}

namespace detail {

/// lowest^(1 − u) · highest^u for u in [0, 1), by square roots, which all machines round alike.
inline double geometric(double lowest, double highest, double u) {
    for (int bit = 0; bit < 53; ++bit) {
        const double middle = std::sqrt(lowest * highest);
        u *= 2;
        (u >= 1 ? lowest : highest) = middle;
        if (u >= 1) u -= 1;
    }
    return lowest;
}

}  // namespace detail

/// The part of a picture that is cut out: an area and an aspect by chance, tried ten times until one fits, else the middle.
/// source  RandomResizedCrop of torchvision
inline Crop random_crop(Index height, Index width, const Augment& settings, RandomStream& random) {
    const auto rounded = [](double side) { return static_cast<Index>(std::nearbyint(side)); };
    const double tall = static_cast<double>(height), wide = static_cast<double>(width);
    for (int attempt = 0; attempt < 10; ++attempt) {
        const double area = tall * wide * random.uniform(settings.min_scale, settings.max_scale);
        const double ratio = detail::geometric(settings.min_ratio, settings.max_ratio, random.uniform());
        const Crop part{.height = rounded(std::sqrt(area / ratio)), .width = rounded(std::sqrt(area * ratio))};
        if (part.height < 1 || part.height > height || part.width < 1 || part.width > width) continue;
        const Index top = random.below(height - part.height + 1);
        return {top, random.below(width - part.width + 1), part.height, part.width};
    }
    Crop middle{.height = height, .width = width};
    if (wide / tall < settings.min_ratio) middle.height = std::max<Index>(rounded(wide / settings.min_ratio), 1);
    if (wide / tall > settings.max_ratio) middle.width = std::max<Index>(rounded(tall * settings.max_ratio), 1);
    middle.top = (height - middle.height) / 2;
    middle.left = (width - middle.width) / 2;
    return middle;
}

/// One operation of RandAugment; `sign` is 1 or −1. What comes from outside the picture is gray.
/// source  LAVIS, processors/randaugment.py
enum class AugmentOperation {
    identity,
    autocontrast,
    brightness,
    sharpness,
    equalize,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
    rotate,
};
inline Image apply(AugmentOperation operation, const Image& image, double level, double sign) {
    constexpr unsigned char gray = 128;
    const double part = level / 10;
    const auto factor = static_cast<float>(part * 1.8 + 0.1);
    const auto shear = static_cast<float>(sign * (part * 0.3)), shift = static_cast<float>(sign * (part * 10));
    switch (operation) {
        case AugmentOperation::identity:
            break;
        case AugmentOperation::autocontrast:
            return autocontrast(image);
        case AugmentOperation::brightness:
            return brightness(image, factor);
        case AugmentOperation::sharpness:
            return sharpness(image, factor);
        case AugmentOperation::equalize:
            return equalize(image);
        case AugmentOperation::shear_x:
            return warp_affine(image, Affine::shear_x(shear), gray);
        case AugmentOperation::shear_y:
            return warp_affine(image, Affine::shear_y(shear), gray);
        case AugmentOperation::translate_x:
            return warp_affine(image, Affine::translate(shift, 0), gray);
        case AugmentOperation::translate_y:
            return warp_affine(image, Affine::translate(0, shift), gray);
        case AugmentOperation::rotate:
            return warp_affine(image, Affine::rotate(sign * (part * 30), image.height(), image.width()), gray);
    }
    return image;
}

inline Image rand_augment(Image image, const RandAugment& settings, RandomStream& random) {
    for (Index i = 0; i < settings.operations; ++i) {
        const auto operation = static_cast<AugmentOperation>(random.below(10));
        const bool happens = random.chance(settings.probability);
        const double sign = random.chance(0.5) ? 1 : -1;
        if (happens) image = apply(operation, image, settings.level, sign);
    }
    return image;
}

/// A picture for training: a part of it, resized to a square, perhaps flipped, perhaps changed further. `preprocess` with
/// `do_resize = false` makes numbers of it.
/// shape   [H, W, 3] → [settings.size, settings.size, 3]
/// errors  Errc::image_size where the picture is empty
/// cost    that of resize, and of each operation a pass or two over the square
/// source  LAVIS, processors/blip_processors.py
inline Image augment(const Image& image, const Augment& settings, std::uint64_t seed, Index epoch, Index item) {
    constexpr std::uint64_t use = 0x6175676d656e74;  // "augment"
    if (image.pixels.size() == 0) throw Error(Errc::image_size, "cannot augment an empty picture");
    RandomStream random(seed, use, epoch, item);
    const Crop part = random_crop(image.height(), image.width(), settings, random);
    Image out = resize(crop(image, part), settings.size, settings.size, settings.pass_order);
    if (random.chance(settings.flip)) out = flip_horizontally(out);
    return rand_augment(std::move(out), settings.rand_augment, random);
}

}  // namespace tessera::inline TESSERA_ISA
