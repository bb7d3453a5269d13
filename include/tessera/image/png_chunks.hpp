// The chunks of a PNG file: everything but the pixels. What they claim is checked before memory is asked for.
#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <tessera/core/printable.hpp>
#include <tessera/image/bytes.hpp>
#include <tessera/image/orientation.hpp>
#include <tessera/image/read_options.hpp>
#include <vector>

namespace tessera {

/// Every `down`th row and `across`th column of the picture, from `top` and `left` on.
struct PngPass {
    Index left, top, across, down;
    Index columns(Index width) const { return width <= left ? 0 : (width - left + across - 1) / across; }
    Index rows(Index height) const { return height <= top ? 0 : (height - top + down - 1) / down; }
};

/// What the chunks of a PNG file say.
/// errors  Errc::image_decode, Errc::image_size
/// source  PNG, third edition (W3C 2025)
struct PngChunks {
    static constexpr int gray = 0, rgb = 2, palette = 3, gray_alpha = 4, rgb_alpha = 6;  // colour types

    PngChunks(Bytes file, std::string_view where, const ReadOptions& options)
        : file_(file), where_(where), options_(options) {
        read_chunks();
    }

    Index width = 0, height = 0;
    int depth = 0, colour = 0, channels = 0;
    std::vector<Bytes> data;                                // the parts of the compressed stream
    std::array<std::array<unsigned char, 3>, 256> shown{};  // how an index or a gray level of up to 8 bits looks
    Index levels = 0;                                       // how many of these there are
    bool has_transparent_colour = false;
    std::array<std::uint32_t, 3> transparent{};
    Orientation orientation = Orientation::top_left;

    std::span<const PngPass> passes() const {
        static constexpr std::array<PngPass, 1> plain{{{0, 0, 1, 1}}};
        static constexpr std::array<PngPass, 7> adam7{
            {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
        return interlaced_ ? std::span<const PngPass>(adam7) : std::span<const PngPass>(plain);
    }
    Index row_bytes(Index columns) const { return (columns * channels * depth + 7) / 8; }
    /// Bytes of the decompressed rows, each with its filter in front.
    Index unpacked_size() const {
        Index size = 0;
        for (const PngPass& pass : passes())
            if (const Index length = row_bytes(pass.columns(width)); length > 0)
                size += pass.rows(height) * (1 + length);
        return size;
    }

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::image_decode, where_, ": PNG: ", parts...);
    }

  private:
    void read_chunks() {
        std::size_t at = 8;
        Index data_size = 0;
        for (bool first = true;; first = false) {
            if (file_.size() - at < 12) fail("the file ends after ", file_.size(), " bytes, without an IEND chunk");
            const std::size_t length = big32(file_, at);
            const std::string type(file_.begin() + static_cast<Index>(at) + 4,
                                   file_.begin() + static_cast<Index>(at) + 8);
            if (length > file_.size() - at - 12)
                fail("the chunk ", in_quotes(type), " claims ", length, " bytes, the file has ", file_.size() - at - 12,
                     " left");
            const Bytes content = file_.subspan(at + 8, length);
            if (first != (type == "IHDR")) fail("expected one IHDR chunk, at the beginning");
            const bool critical = (type[0] & 0x20) == 0;
            if ((critical || type == "tRNS") && crc(file_.subspan(at + 4, length + 4)) != big32(file_, at + 8 + length))
                fail("the chunk ", in_quotes(type), " has a wrong checksum");
            if (type == "IEND") break;
            if (type == "IHDR") {
                read_header(content);
            } else if (type == "PLTE") {
                read_palette(content);
            } else if (type == "tRNS") {
                read_transparency(content);
            } else if (type == "IDAT") {
                data.push_back(content);
                data_size += static_cast<Index>(length);
            } else if (type == "eXIf") {
                orientation = exif_orientation(content);
            } else if (critical) {
                fail("the chunk ", in_quotes(type), " is not known");
            }
            at += length + 12;
        }
        if (data_size == 0) fail("there is no picture data");
        if (colour == palette && levels == 0) fail("there is no palette");
        // Deflate spends at least two bits on 258 bytes. Pixels first, so that nothing overflows.
        constexpr Index densest = 1032;
        if (width * height / 8 > densest * data_size || unpacked_size() > densest * data_size)
            fail("the header claims ", width, "×", height, " pixels, ", data_size,
                 " bytes of compressed data cannot hold them");
    }

    void read_header(Bytes content) {
        if (content.size() != 13) fail("expected an IHDR chunk of 13 bytes, found ", content.size());
        width = big32(content, 0);
        height = big32(content, 4);
        depth = content[8];
        colour = content[9];
        check_picture_size(width, height, options_, where_);
        if (width > 0x7fffffff || height > 0x7fffffff) fail("the header claims ", width, "×", height, " pixels");
        const auto depths = [&](auto... these) {
            if (((depth != these) && ...)) fail("colour type ", colour, " has no bit depth ", depth);
        };
        switch (colour) {
            case gray:
                depths(1, 2, 4, 8, 16);
                channels = 1;
                levels = depth < 16 ? Index{1} << depth : 0;
                for (Index i = 0; i < levels; ++i)
                    shown[static_cast<std::size_t>(i)].fill(static_cast<unsigned char>(i * 255 / (levels - 1)));
                break;
            case palette:
                depths(1, 2, 4, 8);
                channels = 1;
                break;
            case rgb:
                depths(8, 16);
                channels = 3;
                break;
            case gray_alpha:
                depths(8, 16);
                channels = 2;
                break;
            case rgb_alpha:
                depths(8, 16);
                channels = 4;
                break;
            default:
                fail("there is no colour type ", colour);
        }
        if (content[10] != 0) fail("there is no compression method ", int{content[10]});
        if (content[11] != 0) fail("there is no filter method ", int{content[11]});
        if (content[12] > 1) fail("there is no interlace method ", int{content[12]});
        interlaced_ = content[12] == 1;
    }

    void read_palette(Bytes content) {
        if (colour != palette) return;  // only a suggestion
        if (levels != 0) fail("there are two palettes");
        if (content.empty() || content.size() % 3 != 0 || content.size() > 3 * shown.size())
            fail("expected a palette of 1 to 256 colours, found ", content.size(), " bytes");
        levels = static_cast<Index>(content.size() / 3);
        for (std::size_t i = 0; i < content.size(); ++i) shown[i / 3][i % 3] = content[i];
    }

    void read_transparency(Bytes content) {
        if (!data.empty()) fail("the chunk 'tRNS' stands behind the picture data");
        if (colour == palette) {
            if (static_cast<Index>(content.size()) > levels)
                fail("the chunk 'tRNS' has ", content.size(), " entries, the palette ", levels);
            for (std::size_t i = 0; i < content.size(); ++i)
                for (unsigned char& channel : shown[i]) channel = seen(channel, content[i], options_.transparency);
            return;
        }
        if (colour == gray_alpha || colour == rgb_alpha) fail("the chunk 'tRNS' and an alpha channel contradict");
        if (content.size() != static_cast<std::size_t>(channels) * 2)
            fail("expected ", channels * 2, " bytes in the chunk 'tRNS', found ", content.size());
        has_transparent_colour = true;
        for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) transparent[c] = big16(content, 2 * c);
        if (colour == gray && depth < 16 && transparent[0] < static_cast<std::uint32_t>(levels))
            for (unsigned char& channel : shown[transparent[0]]) channel = seen(channel, 0, options_.transparency);
    }

    static std::uint32_t crc(Bytes bytes) {
        static constexpr auto table = [] {
            std::array<std::uint32_t, 256> out{};
            for (std::uint32_t i = 0; i < out.size(); ++i) {
                out[i] = i;
                for (int bit = 0; bit < 8; ++bit) out[i] = (out[i] >> 1) ^ ((out[i] & 1) != 0 ? 0xedb88320u : 0u);
            }
            return out;
        }();
        std::uint32_t sum = 0xffffffffu;
        for (const unsigned char byte : bytes) sum = table[(sum ^ byte) & 255] ^ (sum >> 8);
        return ~sum;
    }

    Bytes file_;
    std::string_view where_;
    const ReadOptions& options_;
    bool interlaced_ = false;
};

}  // namespace tessera
