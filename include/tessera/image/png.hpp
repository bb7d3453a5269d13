// PNG: row filters, interlacing, and all depths and colour types to 8-bit RGB.
#pragma once
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <tessera/image/image.hpp>
#include <tessera/image/inflate.hpp>
#include <tessera/image/png_chunks.hpp>
#include <vector>

namespace tessera {

inline bool is_png(Bytes file) {
    constexpr std::array<unsigned char, 8> signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    return file.size() >= signature.size() && std::equal(signature.begin(), signature.end(), file.begin());
}

/// Of left, above and above left, the one nearest to left + above − above left.
constexpr int paeth(int left, int above, int corner) {
    const auto distance = [](int a, int b) { return a < b ? b - a : a - b; };
    const int to_left = distance(above, corner), to_above = distance(left, corner);
    const int to_corner = distance(left + above, 2 * corner);
    if (to_left <= to_above && to_left <= to_corner) return left;
    return to_above <= to_corner ? above : corner;
}

/// Undoes a row's filter in place; `pixel` is the distance in bytes to what counts as left.
/// shape   row, above [length]
/// errors  false where there is no such filter
inline bool unfilter(int filter, unsigned char* row, const unsigned char* above, Index length, Index pixel) {
    const auto add = [](unsigned char& byte, int what) { byte = static_cast<unsigned char>(byte + what); };
    const Index first = std::min(pixel, length);  // bytes with nothing to the left
    switch (filter) {
        case 0:
            return true;
        case 1:
            for (Index i = pixel; i < length; ++i) add(row[i], row[i - pixel]);
            return true;
        case 2:
            for (Index i = 0; i < length; ++i) add(row[i], above[i]);
            return true;
        case 3:
            for (Index i = 0; i < first; ++i) add(row[i], above[i] / 2);
            for (Index i = pixel; i < length; ++i) add(row[i], (row[i - pixel] + above[i]) / 2);
            return true;
        case 4:
            for (Index i = 0; i < first; ++i) add(row[i], above[i]);
            for (Index i = pixel; i < length; ++i) add(row[i], paeth(row[i - pixel], above[i], above[i - pixel]));
            return true;
        default:
            return false;
    }
}

/// Writes `count` pixels of an unfiltered row as RGB, `step` bytes apart.
inline void expand_row(const PngChunks& png, const ReadOptions& options, const unsigned char* row, Index count,
                       unsigned char* out, Index step) {
    const bool alpha_channel = png.colour == PngChunks::gray_alpha || png.colour == PngChunks::rgb_alpha;
    const bool coloured = png.colour == PngChunks::rgb || png.colour == PngChunks::rgb_alpha;
    if (png.channels == 1 && png.depth <= 8) {  // palettes and gray: one of the colours to be shown
        for (Index x = 0; x < count; ++x, out += step) {
            const Index bit = x * png.depth;
            const int index = row[bit / 8] >> (8 - png.depth - bit % 8) & ((1 << png.depth) - 1);
            if (index >= png.levels) png.fail("a pixel has colour ", index, " of a palette of ", png.levels);
            std::copy_n(png.shown[static_cast<std::size_t>(index)].data(), 3, out);
        }
        return;
    }
    if (png.colour == PngChunks::rgb && png.depth == 8 && !png.has_transparent_colour && step == 3) {
        std::copy_n(row, 3 * count, out);
        return;
    }
    const std::size_t sample = png.depth == 16 ? 2 : 1;  // bytes; of two the upper one is kept
    const std::size_t channels = static_cast<std::size_t>(png.channels);
    const auto is_transparent = [&](const unsigned char* pixel) {
        for (std::size_t c = 0; c < channels; ++c)
            if (png.transparent[c] !=
                (sample == 2 ? std::uint32_t{pixel[2 * c]} << 8 | pixel[2 * c + 1] : std::uint32_t{pixel[c]}))
                return false;
        return true;
    };
    const bool saturate = png.colour == PngChunks::gray && options.deep_gray == DeepGray::saturated;
    for (Index x = 0; x < count; ++x, out += step, row += channels * sample) {
        std::uint32_t alpha = alpha_channel ? row[(channels - 1) * sample] : 255;
        if (png.has_transparent_colour && is_transparent(row)) alpha = 0;
        for (std::size_t c = 0; c < 3; ++c) {
            std::uint32_t value = row[coloured ? c * sample : 0];
            if (saturate) value = value > 0 ? 255 : row[1];
            out[c] = seen(value, alpha, options.transparency);
        }
    }
}

/// Reads a PNG file of any depth and colour type.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong
/// cost    memory for the decompressed rows and the picture
/// source  PNG, third edition (W3C 2025)
inline Image read_png(Bytes file, std::string_view where, const ReadOptions& options) {
    const PngChunks png(file, where, options);
    std::vector<unsigned char> joined;
    if (png.data.size() > 1)
        for (const Bytes part : png.data) joined.insert(joined.end(), part.begin(), part.end());
    const Index expected = png.unpacked_size();
    Buffer<unsigned char> rows(expected);
    const Index unpacked = inflate(png.data.size() > 1 ? Bytes(joined) : png.data.front(),
                                   {rows.data(), static_cast<std::size_t>(rows.size())});
    if (unpacked < 0) png.fail("the compressed data is broken or cut");
    if (unpacked < expected) png.fail("expected ", expected, " bytes of decompressed rows, found ", unpacked);

    Image out(png.height, png.width);
    unsigned char* row = rows.data();
    for (const auto& pass : png.passes()) {
        const Index columns = pass.columns(png.width), length = png.row_bytes(columns);
        if (length == 0) continue;
        const std::vector<unsigned char> zeros(static_cast<std::size_t>(length));
        const unsigned char* above = zeros.data();
        for (Index y = pass.top; y < png.height; y += pass.down, row += 1 + length) {
            if (!unfilter(row[0], row + 1, above, length, std::max<Index>(png.row_bytes(1), 1)))
                png.fail("row ", y, " has filter ", int{row[0]}, ", there are 0 to 4");
            above = row + 1;
            expand_row(png, options, row + 1, columns, out.row(y) + 3 * pass.left, 3 * pass.across);
        }
    }
    return options.turn_upright ? turn_upright(std::move(out), png.orientation) : out;
}

}  // namespace tessera
