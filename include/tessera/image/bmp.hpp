// BMP: uncompressed pictures of 1 to 32 bits a pixel, with palettes or bit masks. (The reader of stb_image takes no gap before
// the pixels, does not notice that a file is cut, and scales bits otherwise than Pillow.)
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/image.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA::detail {

inline bool is_bmp(Bytes file) { return has(file, 0, "BM"); }

/// The bits of a pixel that `mask` names, scaled to a byte; 0 for an empty mask.
constexpr std::uint32_t masked_byte(std::uint32_t pixel, std::uint32_t mask) {
    if (mask == 0) return 0;
    const int low = std::countr_zero(mask);
    return static_cast<std::uint32_t>(std::uint64_t{(pixel & mask) >> low} * 255 / (mask >> low));
}

/// Decodes a BMP file. Alpha counts only where pixels of 32 bits have a mask for it.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong; compressed rows are not supported
/// source  Microsoft, Bitmap Storage
inline Image decode_bmp(Bytes file, std::string_view where, const DecodeOptions& options) {
    const Complaint fail{where, "BMP"};
    const auto expect = [&](std::size_t bytes) {
        if (file.size() < bytes) fail("expected at least ", bytes, " bytes, found ", file.size());
    };
    expect(26);
    const std::size_t header = little32(file, 14);
    constexpr std::array<std::size_t, 6> headers{12, 40, 52, 56, 108, 124};
    if (std::find(headers.begin(), headers.end(), header) == headers.end())
        fail("a header of ", header, " bytes is not known");
    expect(14 + header);
    const bool old = header == 12;
    const auto signed32 = [&](std::size_t at) { return Index{static_cast<std::int32_t>(little32(file, at))}; };
    const Index width = old ? little16(file, 18) : signed32(18);
    const Index signed_height = old ? little16(file, 20) : signed32(22);  // negative: the top row comes first
    const Index height = signed_height < 0 ? -signed_height : signed_height;
    check_picture_size(width, height, options, where);
    const int depth = static_cast<int>(little16(file, old ? 24 : 28));
    if (depth != 1 && depth != 4 && depth != 8 && depth != 16 && depth != 24 && depth != 32)
        fail("there is no bit depth ", depth);
    const std::uint32_t compression = old ? 0 : little32(file, 30);
    const bool has_masks = compression == 3 && (depth == 16 || depth == 32);
    if (compression != 0 && !has_masks) fail("compression ", compression, " is not supported");

    // Where nothing else is said, 16 bits are 5-5-5 and 32 bits 8-8-8 with 8 that mean nothing.
    std::array<std::uint32_t, 4> masks = depth == 16 ? std::array<std::uint32_t, 4>{0x7c00, 0x03e0, 0x001f, 0}
                                                     : std::array<std::uint32_t, 4>{0xff0000, 0xff00, 0xff, 0};
    std::size_t after_header = 14 + header;
    if (has_masks) {
        if (header == 40) after_header += 12;
        expect(after_header);
        for (std::size_t i = 0; i < (header >= 56 && depth == 32 ? 4u : 3u); ++i) masks[i] = little32(file, 54 + 4 * i);
        if (masks[0] == 0 || masks[1] == 0 || masks[2] == 0) fail("a colour has no bits");
    }

    const std::size_t start = little32(file, 10);
    if (start < after_header) fail("the pixels begin at byte ", start, ", inside the header");
    const std::size_t row_bits = static_cast<std::size_t>(width) * static_cast<std::size_t>(depth);
    const std::size_t stride = (row_bits + 31) / 32 * 4;
    const std::size_t rows = static_cast<std::size_t>(height);
    const std::size_t left = start > file.size() ? 0 : file.size() - start;
    if (left < (row_bits + 7) / 8 || (left - (row_bits + 7) / 8) / stride < rows - 1)  // the last row needs no filling
        fail("the header claims ", width, "×", height, " pixels of ", depth, " bits from byte ", start,
             " on, the file has ", file.size(), " bytes");

    std::vector<std::array<unsigned char, 3>> palette;
    if (depth <= 8) {
        const std::size_t entry = old ? 3 : 4, used = old ? 0 : little32(file, 46);
        palette.resize(std::min(
            {used == 0 ? std::size_t{1} << depth : used, (start - after_header) / entry, std::size_t{1} << depth}));
        for (std::size_t i = 0; i < palette.size(); ++i)
            for (std::size_t c = 0; c < 3; ++c) palette[i][c] = file[after_header + entry * i + 2 - c];
    }

    Image out(height, width);
    for (Index y = 0; y < height; ++y) {
        const std::size_t stored = static_cast<std::size_t>(signed_height < 0 ? y : height - 1 - y);
        const Bytes row = file.subspan(start + stride * stored, (row_bits + 7) / 8);
        unsigned char* to = out.row(y);
        for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x, to += 3) {
            if (depth == 24) {
                std::reverse_copy(row.data() + 3 * x, row.data() + 3 * x + 3, to);
            } else if (depth >= 16) {
                const std::uint32_t pixel = depth == 16 ? little16(row, 2 * x) : little32(row, 4 * x);
                const std::uint32_t alpha = masks[3] == 0 ? 255 : masked_byte(pixel, masks[3]);
                for (std::size_t c = 0; c < 3; ++c)
                    to[c] = seen(masked_byte(pixel, masks[c]), alpha, options.transparency);
            } else {
                const std::size_t bits = static_cast<std::size_t>(depth), bit = x * bits;
                const std::size_t index = row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
                if (index >= palette.size()) fail("a pixel has colour ", index, " of a palette of ", palette.size());
                std::copy_n(palette[index].data(), 3, to);
            }
        }
    }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA::detail
