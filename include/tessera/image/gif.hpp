// GIF: the first picture of a file, as Pillow shows it. (The reader of stb_image loses the colours under transparent pixels,
// fills up what is missing, and gives up on encoders that go on using a full table of codes.)
#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/image.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA::detail {

inline bool is_gif(Bytes file) { return has(file, 0, "GIF87a") || has(file, 0, "GIF89a"); }

/// Unpacks palette indices from LZW codes that stand for a single index below 2^`bits`; fills `out`.
/// errors  those of `fail`: the data ends early, a code is out of place
/// source  GIF89a, appendix F
inline void unpack_gif(Bytes data, int bits, std::span<unsigned char> out, Complaint fail) {
    // A code stands for the string before the one that made it and the index that followed: both are in `out`, side by side.
    struct String {
        std::size_t at, size;
    };
    constexpr std::size_t most_codes = 4096;
    if (bits < 1 || bits > 8) fail("there are no codes of ", bits, " bits");
    const std::size_t clear = std::size_t{1} << bits, end = clear + 1;
    std::vector<String> strings;  // of the codes after `end`
    String before{0, 0};
    std::size_t done = 0, at = 0, buffer = 0;
    for (int width = bits + 1, buffered = 0; done < out.size();) {
        for (; buffered < width; buffered += 8) {
            if (at == data.size()) fail("the file is cut: it has ", done, " of ", out.size(), " pixels");
            buffer |= std::size_t{data[at++]} << buffered;
        }
        const std::size_t code = buffer & ((std::size_t{1} << width) - 1);
        buffer >>= width;
        buffered -= width;
        if (code == clear) {
            strings.clear();
            before = {0, 0};
            width = bits + 1;
            continue;
        }
        if (before.size > 0 && end + 1 + strings.size() < most_codes) strings.push_back({before.at, before.size + 1});
        before = {done, 1};
        if (code < clear) {
            out[done++] = static_cast<unsigned char>(code);
        } else {
            if (code == end || code - end - 1 >= strings.size()) fail("code ", code, " comes after ", done, " pixels");
            const String string = strings[code - end - 1];
            before.size = std::min(string.size, out.size() - done);
            for (std::size_t i = 0; i < before.size; ++i) out[done++] = out[string.at + i];
        }
        if (width < 12 && end + 1 + strings.size() == std::size_t{1} << width) ++width;
    }
}

/// Decodes the first picture of a GIF file; what surrounds it is transparent, or has the first colour.
/// shape   → [height, width, 3], the screen's extents or what the picture needs beyond them
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong. What follows the picture is not read
/// source  GIF89a
inline Image decode_gif(Bytes file, std::string_view where, const DecodeOptions& options) {
    const Complaint fail{where, "GIF"};
    std::size_t at = 0;
    const auto take = [&](std::size_t bytes) {
        if (file.size() - at < bytes) fail("the file is cut at byte ", file.size());
        return file.subspan((at += bytes) - bytes, bytes);
    };
    const auto take_palette = [&](int flags) { return flags & 0x80 ? take(std::size_t{6} << (flags & 7)) : Bytes(); };
    const auto take_blocks = [&] {
        std::vector<unsigned char> out;
        while (const std::size_t size = take(1)[0]) {
            const Bytes block = take(size);
            out.insert(out.end(), block.begin(), block.end());
        }
        return out;
    };
    const Bytes screen = take(13);
    Bytes palette = take_palette(screen[10]);
    std::optional<unsigned char> transparent;
    for (unsigned char kind = 0; kind != ',';) {
        kind = take(1)[0];
        if (kind == ';') fail("there is no picture");
        if (kind != '!') continue;
        const bool control = take(1)[0] == 0xf9;
        const auto content = take_blocks();
        if (control && content.size() >= 4 && (content[0] & 1) != 0) transparent = content[3];
    }

    const Bytes frame = take(9);
    const Index left = little16(frame, 0), top = little16(frame, 2);
    const Index width = little16(frame, 4), height = little16(frame, 6);
    if (frame[8] & 0x80) palette = take_palette(frame[8]);
    const int bits = take(1)[0];
    const auto data = take_blocks();
    const Index all_width = std::max<Index>(little16(screen, 6), left + width);
    const Index all_height = std::max<Index>(little16(screen, 8), top + height);
    check_picture_size(width, height, options, where);
    check_picture_size(all_width, all_height, options, where);
    constexpr Index densest = 4096 * 8 / 12;  // pixels for a byte: a code of 12 bits stands for less than 4096
    if (all_width * all_height / densest > static_cast<Index>(file.size())) fail.too_short(all_width, all_height, file);
    std::vector<unsigned char> indices(static_cast<std::size_t>(width * height));
    unpack_gif(data, bits, indices, fail);

    std::array<std::array<unsigned char, 3>, 256> colours{};
    for (std::size_t i = 0; i < 256; ++i)
        for (std::size_t c = 0; c < 3; ++c)
            colours[i][c] = palette.empty()              ? static_cast<unsigned char>(i)
                            : 3 * i + c < palette.size() ? palette[3 * i + c]
                                                         : static_cast<unsigned char>(0);
    if (transparent && options.transparency == Transparency::white) colours[*transparent].fill(255);
    Image out(all_height, all_width);
    for (Index i = 0; i < all_height * all_width; ++i)
        std::copy_n(colours[transparent.value_or(0)].data(), 3, out.pixels.data() + 3 * i);
    const unsigned char* from = indices.data();
    const auto put_rows = [&](Index first, Index step) {
        for (Index y = first; y < height; y += step)
            for (Index x = 0; x < width; ++x)
                std::copy_n(colours[*from++].data(), 3, out.row(top + y) + 3 * (left + x));
    };
    if (frame[8] & 0x40) {  // interlaced
        put_rows(0, 8);
        put_rows(4, 8);
        put_rows(2, 4);
        put_rows(1, 2);
    } else {
        put_rows(0, 1);
    }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA::detail
