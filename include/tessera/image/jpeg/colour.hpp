// From the components of a JPEG picture to RGB: what is sampled coarser is interpolated, then the colours are converted.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/image/image.hpp>
#include <tessera/image/jpeg/frame.hpp>
#include <vector>

namespace tessera {

/// What the numbers of the components mean.
enum class JpegColours { gray, ycc, rgb, cmyk, ycck };

/// Row `y` of the picture for one component: of the samples, or made in `out` [width·across].
/// source  libjpeg's triangle filter, with its rounding, which alternates, so that the bytes are the same
inline const unsigned char* jpeg_upsample(const JpegComponent& component, Index y, unsigned char* out) {
    const Index width = component.width, last = component.height - 1;
    const auto row = [&](Index i) { return component.samples.data() + i * component.stride(); };
    const unsigned char* near = row(y / component.down);
    const bool below = y % 2 == 1;  // with rows halved: the next nearest row is the one below, else the one above
    const unsigned char* far = row(std::clamp<Index>(y / 2 + (below ? 1 : -1), 0, last));

    if (component.across == 1 && component.down == 1) return near;
    if (component.across == 1 && component.down == 2) {
        for (Index x = 0; x < width; ++x)
            out[x] = static_cast<unsigned char>((3 * near[x] + far[x] + (below ? 2 : 1)) >> 2);
    } else if (component.across == 2 && component.down <= 2 && width > 2) {
        // With halved rows the weights are 3 and 1 vertically too, so sums are in sixteenths instead of quarters.
        const bool both = component.down == 2;
        const int shift = both ? 4 : 2, left = both ? 8 : 1, right = both ? 7 : 2;
        const auto sum = [&](Index x) { return both ? 3 * near[x] + far[x] : int{near[x]}; };
        for (int x = 0, before = sum(0), here = before; x < width; ++x) {
            const int after = x + 1 < width ? sum(x + 1) : here;
            out[2 * x] = static_cast<unsigned char>((3 * here + before + left) >> shift);
            out[2 * x + 1] = static_cast<unsigned char>((3 * here + after + right) >> shift);
            before = here;
            here = after;
        }
    } else {
        for (Index x = 0; x < width; ++x) std::fill_n(out + x * component.across, component.across, near[x]);
    }
    return out;
}

/// Converts one row of the picture.
/// shape   planes: as many as there are components, [width] each → out [width, 3]
/// source  JFIF 1.02 in 16-bit fixed point, as libjpeg computes it; CMYK as Pillow takes it, inverted
inline void jpeg_to_rgb(JpegColours colours, const std::array<const unsigned char*, 4>& planes, Index width,
                        unsigned char* out) {
    const auto byte = [](int value) { return static_cast<unsigned char>(std::clamp(value, 0, 255)); };
    const auto [a, b, c, k] = planes;
    if (colours == JpegColours::ycc || colours == JpegColours::ycck) {
        constexpr int half = 1 << 15;
        for (Index x = 0; x < width; ++x, out += 3) {
            const int luma = a[x], blue = b[x] - 128, red = c[x] - 128;
            out[0] = byte(luma + ((91881 * red + half) >> 16));
            out[1] = byte(luma + ((-22554 * blue - 46802 * red + half) >> 16));
            out[2] = byte(luma + ((116130 * blue + half) >> 16));
        }
    } else {
        for (Index x = 0; x < width; ++x, out += 3) {
            out[0] = a[x];
            out[1] = b[x];
            out[2] = c[x];
        }
    }
    if (colours != JpegColours::cmyk && colours != JpegColours::ycck) return;
    out -= 3 * width;
    for (Index x = 0; x < width; ++x, out += 3)
        for (std::size_t channel = 0; channel < 3; ++channel) {
            // Ink that is stored inverted: what it leaves of the light, times what black leaves of it.
            const int ink = colours == JpegColours::ycck ? out[channel] : 255 - out[channel];
            const int product = ink * k[x] + 128;
            out[channel] = byte(k[x] - (((product >> 8) + product) >> 8));
        }
}

/// The picture of a frame whose samples are complete.
inline Image jpeg_picture(const JpegFrame& frame, JpegColours colours) {
    Image out(frame.height, frame.width);
    std::array<std::vector<unsigned char>, 4> rows;
    std::array<const unsigned char*, 4> planes{};
    for (std::size_t i = 0; i < frame.components.size(); ++i)
        rows[i].resize(static_cast<std::size_t>(frame.components[i].width * frame.components[i].across));
    for (Index y = 0; y < frame.height; ++y) {
        for (std::size_t i = 0; i < frame.components.size(); ++i)
            planes[i] = jpeg_upsample(frame.components[i], y, rows[i].data());
        if (colours == JpegColours::gray) planes[1] = planes[2] = planes[0];
        jpeg_to_rgb(colours, planes, frame.width, out.row(y));
    }
    return out;
}

}  // namespace tessera
