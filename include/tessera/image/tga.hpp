// TGA, which has no signature: a file is one if its header makes sense as one.
#pragma once
#include <array>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/image.hpp>

namespace tessera::inline TESSERA_ISA::detail {

inline bool is_tga(Bytes file) {
    if (file.size() < 18) return false;
    const int kind = file[2] & 7, depth = file[16], map = file[1], map_depth = file[7];
    const bool known = kind == 1   ? depth == 8 && map == 1
                       : kind == 2 ? depth == 16 || depth == 24 || depth == 32
                                   : kind == 3 && (depth == 8 || depth == 16);
    const bool map_known = map == 0 || (map == 1 && (map_depth == 16 || map_depth == 24 || map_depth == 32));
    return known && map_known && (file[2] & ~15) == 0 && (file[17] & 0xc0) == 0;
}

/// Decodes a TGA file: gray, palette or colour, plain or in runs.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong
/// source  Truevision TGA 2.0
inline Image decode_tga(Bytes file, std::string_view where, const DecodeOptions& options) {
    const Complaint fail{where, "TGA"};
    const bool gray = (file[2] & 7) == 3, mapped = (file[2] & 7) == 1, in_runs = (file[2] & 8) != 0;
    const bool top_first = (file[17] & 0x20) != 0, right_first = (file[17] & 0x10) != 0;
    const Index width = little16(file, 12), height = little16(file, 14);
    check_picture_size(width, height, options, where);
    std::size_t at = 18;
    const auto take = [&](std::size_t bytes) {
        if (file.size() - at < bytes) fail("the file is cut at byte ", file.size());
        return file.subspan((at += bytes) - bytes, bytes);
    };
    take(file[0]);  // a comment
    const std::size_t map_first = little16(file, 3), map_bytes = file[7] / 8u;
    const Bytes map = take(file[1] == 1 ? little16(file, 5) * map_bytes : 0);
    const std::size_t bytes = file[16] / 8u;
    const std::size_t densest = in_runs ? 128 : 1;  // pixels of a run, which takes a byte more than a pixel
    if (static_cast<std::size_t>(width * height) / densest * (bytes + (in_runs ? 1 : 0)) > file.size() - at)
        fail.too_short(width, height, file);

    const auto put = [&](Bytes pixel, unsigned char* to) {
        if (mapped) {
            const std::size_t index = pixel[0];
            if (index < map_first || (index - map_first + 1) * map_bytes > map.size())
                fail("a pixel has colour ", index, " of ", map.size() / map_bytes);
            pixel = map.subspan((index - map_first) * map_bytes, map_bytes);
        }
        std::array<std::uint32_t, 4> rgba{pixel[0], pixel[0], pixel[0], 255};
        if (gray && pixel.size() == 2) {
            rgba[3] = pixel[1];
        } else if (pixel.size() == 2) {
            const std::uint32_t bits = little16(pixel, 0);
            for (std::size_t c = 0; c < 3; ++c) rgba[c] = (bits >> (10 - 5 * c) & 31) * 255 / 31;
            rgba[3] = bits >> 15 != 0 ? 0 : 255;
        } else if (pixel.size() >= 3) {
            rgba = {pixel[2], pixel[1], pixel[0], pixel.size() == 4 ? pixel[3] : 255u};
        }
        if (mapped) rgba[3] = 255;  // nobody sees transparency in a palette
        for (std::size_t c = 0; c < 3; ++c) to[c] = seen(rgba[c], rgba[3], options.transparency);
    };
    Image out(height, width);
    Bytes pixel;
    int left = 0;  // of the present packet
    bool repeats = false;
    for (Index y = 0; y < height; ++y)
        for (Index x = 0; x < width; ++x) {
            const bool begins = in_runs && left == 0;
            if (begins) {
                const int packet = take(1)[0];
                left = packet % 128 + 1;
                repeats = packet >= 128;
            }
            --left;
            if (begins || !repeats) pixel = take(bytes);
            put(pixel, out.row(top_first ? y : height - 1 - y) + 3 * (right_first ? width - 1 - x : x));
        }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA::detail
