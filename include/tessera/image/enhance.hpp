// Changes of a picture's brightness and detail, with the bytes that Pillow gives.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/image/image.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

using ByteTable = std::array<unsigned char, 256>;

/// How often each byte appears in a channel.
inline std::array<Index, 256> histogram(const Image& image, Index channel) {
    std::array<Index, 256> counts{};
    const Index size = image.pixels.size();
    for (Index i = channel; i < size; i += 3) ++counts[image.pixels.data()[i]];
    return counts;
}

/// Replaces the bytes of each channel as table(channel) says.
Image through_tables(const Image& image, auto&& table) {
    Image out(image.height(), image.width());
    for (Index channel = 0; channel < 3; ++channel) {
        const ByteTable to = table(channel);
        for (Index i = channel; i < image.pixels.size(); i += 3) out.pixels.data()[i] = to[image.pixels.data()[i]];
    }
    return out;
}

inline unsigned char clipped_byte(auto value) {
    return static_cast<unsigned char>(std::clamp<decltype(value)>(value, 0, 255));
}

inline ByteTable same_bytes() {
    ByteTable table;
    for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<unsigned char>(i);
    return table;
}

}  // namespace detail

/// Stretches each channel so that its darkest pixel is 0 and its brightest 255.
/// source  Pillow's ImageOps.autocontrast, equal to the byte
inline Image autocontrast(const Image& image) {
    return detail::through_tables(image, [&](Index channel) {
        const auto counts = detail::histogram(image, channel);
        std::size_t low = 0, high = 255;
        while (low < 255 && counts[low] == 0) ++low;
        while (high > 0 && counts[high] == 0) --high;
        detail::ByteTable table = detail::same_bytes();
        if (high <= low) return table;
        const double scale = 255.0 / static_cast<double>(high - low);
        const volatile double offset = -(static_cast<double>(low) * scale);
        for (std::size_t i = 0; i < 256; ++i) {
            const volatile double part = static_cast<double>(i) * scale;  // rounded before it is added to
            table[i] = detail::clipped_byte(part + offset);
        }
        return table;
    });
}

/// Spreads each channel so that all brightnesses appear equally often.
/// source  Pillow's ImageOps.equalize, equal to the byte
inline Image equalize(const Image& image) {
    return detail::through_tables(image, [&](Index channel) {
        const auto counts = detail::histogram(image, channel);
        std::size_t brightest = 255;
        while (brightest > 0 && counts[brightest] == 0) --brightest;
        const Index step = (image.height() * image.width() - counts[brightest]) / 255;
        detail::ByteTable table = detail::same_bytes();
        if (step == 0) return table;
        Index darker = step / 2;
        for (std::size_t i = 0; i < 256; ++i) {
            table[i] = detail::clipped_byte(darker / step);
            darker += counts[i];
        }
        return table;
    });
}

/// 0: black, 1: the same, above: brighter.
/// source  Pillow's ImageEnhance.Brightness, equal to the byte
inline Image brightness(const Image& image, float factor) {
    detail::ByteTable table;
    for (std::size_t i = 0; i < 256; ++i) table[i] = detail::clipped_byte(static_cast<float>(i) * factor);
    return detail::through_tables(image, [&](Index) { return table; });
}

/// 0: blurred, 1: the same, above: sharper. Pixels at the border stay.
/// cost    nine additions a channel and pixel
/// source  Pillow's ImageEnhance.Sharpness, equal to the byte
inline Image sharpness(const Image& image, float factor) {
    Image out = image;
    if (factor == 1) return out;
    std::array<float, 511> parts;  // of each difference, rounded before they are added to
    for (int difference = -255; difference <= 255; ++difference)
        parts[static_cast<std::size_t>(difference + 255)] = factor * static_cast<float>(difference);
    const Index stride = 3 * image.width();
    for (Index y = 1; y + 1 < image.height(); ++y)
        for (Index at = 3; at < stride - 3; ++at) {
            const unsigned char* here = image.row(y) + at;
            int sum = 4 * here[0];
            for (const unsigned char* row : {here - stride, here, here + stride}) sum += row[-3] + row[0] + row[3];
            const int smooth = (2 * sum + 13) / 26;  // sum / 13, rounded
            out.row(y)[at] = detail::clipped_byte(static_cast<float>(smooth) +
                                                  parts[static_cast<std::size_t>(here[0] - smooth + 255)]);
        }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
