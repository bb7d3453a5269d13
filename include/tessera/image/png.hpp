// PNG: every chunk is checked here, and stb_image decodes those that pixels are made of. All depths and colour types become
// 8-bit RGB with the bytes that Pillow gives.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/crc32.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/image/bytes.hpp>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/orientation.hpp>
#include <tessera/image/stb_image.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA::detail {

inline constexpr std::string_view png_signature("\x89PNG\r\n\x1a\n", 8);
inline bool is_png(Bytes file) { return has(file, 0, png_signature); }

/// A PNG file taken apart.
class PngFile {
  public:
    std::uint32_t width = 0, height = 0;
    int depth = 0, colour = 0;  // as in IHDR
    Orientation orientation = Orientation::top_left;
    std::vector<unsigned char>
        essence;  // a PNG of header, palette, transparent colours and data, all data in one chunk

    /// errors  Errc::image_decode, Errc::image_size where a chunk is cut, has a wrong checksum or contradicts another
    PngFile(Bytes file, std::string_view where, const DecodeOptions& options) : fail_{where, "PNG"} {
        std::optional<Orientation> exif, text;
        std::vector<unsigned char> data;  // of all chunks IDAT
        std::size_t at = png_signature.size();
        for (bool ended = false; !ended;) {
            const auto expect = [&](std::size_t bytes) {
                if (file.size() - at < bytes) fail_("the file is cut in the chunk at byte ", at, " of ", file.size());
            };
            expect(12);
            const std::size_t length = big32(file, at);
            expect(12 + length);
            const std::string_view type = text_of(file.subspan(at + 4, 4));
            const Bytes content = file.subspan(at + 8, length);
            const auto wrong = [&](std::string_view what) {
                fail_("the chunk ", in_quotes(type), " at byte ", at, " of ", file.size(), ' ', what);
            };
            if (crc32(file.subspan(at + 4, 4 + length)) != big32(file, at + 8 + length))
                wrong("has a wrong checksum (CRC)");
            if ((type == "IHDR") != header_.empty()) wrong("is not where it should be");
            if (type == "IHDR") {
                read_header(content, options);
                if (bytes_of(width) * height / densest > file.size()) fail_.too_short(width, height, file);
            } else if (type == "PLTE") {
                if (length % 3 != 0 || length > 768 || !data.empty()) wrong("is no palette");
                palette_ = content;
            } else if (type == "tRNS") {
                // One that does not fit, or comes late, says nothing about the pixels.
                const std::size_t right = colour == 0 ? 2 : colour == 2 ? 6 : 0;
                if (data.empty() && (colour == 3 ? length <= palette_.size() / 3 : length == right)) alpha_ = content;
            } else if (type == "IDAT") {
                data.insert(data.end(), content.begin(), content.end());
            } else if (type == "eXIf") {
                exif = exif_orientation(content);
            } else if (options.turn_upright && !text) {
                text = text_orientation(type, content);
            }
            ended = type == "IEND";
            if ((type[0] & 0x20) == 0 && !ended && type != "IHDR" && type != "PLTE" && type != "IDAT")
                wrong("is of a kind that nobody can leave out, and is not known");
            at += 12 + length;
        }
        if (data.empty()) fail_("there is no chunk IDAT");
        if (colour == 3 && palette_.empty()) fail_("there is no palette (PLTE)");
        make_essence(data);
        orientation = exif ? *exif : text.value_or(Orientation::top_left);
    }

  private:
    static constexpr std::size_t densest = 1032;  // deflate spends at least two bits on 258 bytes

    void read_header(Bytes content, const DecodeOptions& options) {
        if (content.size() != 13) fail_("IHDR has ", content.size(), " bytes, expected 13");
        header_ = content;
        width = big32(content, 0);
        height = big32(content, 4);
        depth = content[8];
        colour = content[9];
        interlaced_ = content[12] != 0;
        check_picture_size(width, height, options, fail_.where);
        const bool power = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
        const bool fits = colour == 0 ? power : colour == 3 ? power && depth <= 8 : power && depth >= 8;
        if (!fits || (colour != 0 && colour != 2 && colour != 3 && colour != 4 && colour != 6))
            fail_("IHDR: there is no colour type ", colour, " of ", depth, " bits");
        if (content[10] != 0 || content[11] != 0 || content[12] > 1)
            fail_("IHDR: compression ", int{content[10]}, ", filter ", int{content[11]}, ", interlacing ",
                  int{content[12]}, " is not known");
    }
    std::size_t bytes_of(std::size_t pixels) const {
        const int samples = colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1;
        return (pixels * static_cast<std::size_t>(samples * depth) + 7) / 8;
    }
    /// Bytes of all rows, each after the number of its filter.
    std::size_t bytes_of_rows() const {
        if (!interlaced_) return (bytes_of(width) + 1) * height;
        struct Pass {
            std::size_t left, top, across, down;
        };
        std::size_t out = 0;
        for (const auto& [left, top, across, down] :
             {Pass{0, 0, 8, 8}, Pass{4, 0, 8, 8}, Pass{0, 4, 4, 8}, Pass{2, 0, 4, 4}, Pass{0, 2, 2, 4},
              Pass{1, 0, 2, 2}, Pass{0, 1, 1, 2}})
            if (width > left && height > top)
                out += (bytes_of((width - left + across - 1) / across) + 1) * ((height - top + down - 1) / down);
        return out;
    }

    /// A chunk of `length` bytes: `content`, then zeros. Of checksums there is only the place: stb_image does not look.
    unsigned char* put_chunk(std::string_view type, Bytes content, std::size_t length) {
        const std::size_t at = essence.size();
        essence.resize(at + 12 + length);
        unsigned char* const to = essence.data() + at;
        for (std::size_t i = 0; i < 4; ++i) to[i] = static_cast<unsigned char>(length >> (24 - 8 * i));
        std::copy(type.begin(), type.end(), to + 4);
        std::copy(content.begin(), content.end(), to + 8);
        return to + 8;
    }
    void make_essence(std::vector<unsigned char>& data) {
        constexpr std::size_t excess = 1 << 16,
                              block = 65535;  // what is more than the rows is left out; of a stored block
        const std::size_t size = bytes_of_rows();
        const std::vector<char> rows = stb::unpack(data, size, excess, fail_);
        essence.assign(png_signature.begin(), png_signature.end());
        put_chunk("IHDR", header_, header_.size());
        if (colour == 3) put_chunk("PLTE", palette_, 768);  // what lies beyond the palette is black
        if (!alpha_.empty()) put_chunk("tRNS", alpha_, alpha_.size());
        unsigned char* to = put_chunk("IDAT", {}, 2 + 5 * ((size + block - 1) / block) + size + 4);
        *to++ = 0x78;
        *to++ = 0x01;
        for (std::size_t done = 0; done < size;) {
            const std::size_t part = std::min(block, size - done);
            *to++ = done + part == size ? 1 : 0;  // the last block
            for (const std::size_t half : {part, ~part})
                for (const int shift : {0, 8}) *to++ = static_cast<unsigned char>(half >> shift);
            to = std::copy_n(rows.data() + done, part, to);
            done += part;
        }
        put_chunk("IEND", {}, 0);
    }

    /// The orientation in a text chunk: XMP, or the EXIF data that ImageMagick writes there in hexadecimal digits.
    std::optional<Orientation> text_orientation(std::string_view type, Bytes content) {
        if (type != "tEXt" && type != "zTXt" && type != "iTXt") return {};
        const std::string_view whole = text_of(content), keyword = whole.substr(0, whole.find('\0'));
        const bool xmp = keyword == "XML:com.adobe.xmp";
        if ((!xmp && keyword != "Raw profile type exif") || ++texts_ > 4) return {};
        std::size_t at = keyword.size() + 1;
        bool packed = type == "zTXt";
        if (packed) at += 1;  // the method of compression: there is one
        if (type == "iTXt") {
            packed = at < whole.size() && whole[at] == 1;
            at += 2;
            for (int skipped = 0; skipped < 2 && at < whole.size(); ++skipped)  // the language, the keyword in it
                at = std::min(whole.find('\0', at), whole.size()) + 1;
        }
        if (at >= whole.size()) return {};
        const std::string text = packed ? unpacked(content.subspan(at)) : std::string(whole.substr(at));
        if (xmp) return xmp_orientation(text);
        std::vector<unsigned char> exif;  // after a name and a number in lines of their own
        std::size_t digits = 0;
        for (int line = 0; line < 3; ++line) digits = std::min(text.find('\n', digits), text.size() - 1) + 1;
        int high = -1;
        for (const char letter : std::string_view(text).substr(std::min(digits, text.size()))) {
            const std::size_t digit = std::string_view("0123456789abcdef").find(letter);
            if (digit == std::string_view::npos) continue;
            if (high >= 0) exif.push_back(static_cast<unsigned char>(16 * high + static_cast<int>(digit)));
            high = high >= 0 ? -1 : static_cast<int>(digit);
        }
        return exif_orientation(exif);
    }
    /// Text that zlib packed; empty where it is broken or longer than a megabyte.
    static std::string unpacked(Bytes packed) {
        constexpr std::size_t longest = 1 << 20;
        std::string out(std::min(longest, packed.size() * densest), '\0');
        if (packed.size() > longest) return {};
        const int size =
            stb::stbi_zlib_decode_buffer(out.data(), static_cast<int>(out.size()),
                                         reinterpret_cast<const char*>(packed.data()), static_cast<int>(packed.size()));
        out.resize(static_cast<std::size_t>(std::max(size, 0)));
        return out;
    }

    Complaint fail_;
    Bytes header_, palette_, alpha_;
    bool interlaced_ = false;
    int texts_ = 0;  // that might tell the orientation; more than a few are there to waste time
};

/// Decodes a PNG file of any depth and colour type.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong: a cut file, a wrong checksum, one that does
///         not say where it ends
/// cost    memory for the file's data once more, three times for its rows and for the picture with alpha
inline Image decode_png(Bytes file, std::string_view where, const DecodeOptions& options) {
    const PngFile png(file, where, options);
    Image out(png.height, png.width);
    unsigned char* to = out.pixels.data();
    const unsigned char* const end = to + out.pixels.size();
    if (png.colour == 0 && png.depth == 16 && options.deep_gray == DeepGray::saturated) {
        const auto samples = stb::decode<std::uint16_t>(png.essence, 2, {where, "PNG"});
        for (const std::uint16_t* from = samples.get(); to != end; to += 3, from += 2)
            std::fill_n(to, 3, seen(std::min<std::uint32_t>(from[0], 255), from[1] >> 8, options.transparency));
    } else {
        const auto samples = stb::decode<unsigned char>(png.essence, 4, {where, "PNG"});
        for (const unsigned char* from = samples.get(); to != end; to += 3, from += 4)
            for (std::size_t c = 0; c < 3; ++c) to[c] = seen(from[c], from[3], options.transparency);
    }
    return options.turn_upright ? turn_upright(std::move(out), png.orientation) : out;
}

}  // namespace tessera::inline TESSERA_ISA::detail
