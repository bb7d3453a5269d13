// JPEG through the TurboJPEG interface of libjpeg-turbo, which gives the bytes that Pillow gives, and says when a file is
// cut. (stb_image is smaller, but single bytes differ from those by up to 34, and it fills up what is missing silently.)
#pragma once
#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string_view>
#include <tessera/image/bytes.hpp>
#include <tessera/image/image.hpp>
#include <tessera/image/orientation.hpp>
#include <tessera/image/read_options.hpp>

namespace tessera::inline TESSERA_ISA {

inline bool is_jpeg(Bytes file) { return file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff; }

namespace detail {

/// The orientation that the first EXIF data in front of the picture gives; top_left if there is none.
inline Orientation jpeg_orientation(Bytes file) {
    constexpr std::string_view exif("Exif\0\0", 6);
    std::size_t at = 2;
    while (file.size() - at >= 4 && file[at] == 0xff) {
        const int marker = file[at + 1];
        if (marker == 0xff) {  // a byte to fill up
            ++at;
            continue;
        }
        const std::size_t length = big16(file, at + 2);
        if (marker == 0xda || length < 2 || length > file.size() - at - 2) break;
        const Bytes content = file.subspan(at + 4, length - 2);
        if (marker == 0xe1 && content.size() >= exif.size() && std::equal(exif.begin(), exif.end(), content.begin()))
            return exif_orientation(content.subspan(exif.size()));
        at += 2 + length;
    }
    return Orientation::top_left;
}

/// Cyan, magenta, yellow and black as Pillow turns them into light: stored inverted, rounded in this way.
/// shape   inks [width, 4] → out [width, 3]
inline void show_inks(const unsigned char* inks, Index width, unsigned char* out) {
    for (const unsigned char* end = inks + 4 * width; inks != end; inks += 4, out += 3)
        for (Index c = 0; c < 3; ++c) {
            const int light = inks[3], product = (255 - inks[c]) * light + 128;
            const int left = light - (((product >> 8) + product) >> 8);
            out[c] = static_cast<unsigned char>(left < 0 ? 0 : left);
        }
}

}  // namespace detail

/// Reads a JPEG file of 8 bits a sample: gray, colour or CMYK, baseline or progressive.
/// shape   → [height, width, 3]
/// errors  Errc::image_decode, Errc::image_size name `where` and what is wrong. A file that is cut or damaged is an error,
///         and so is one of more than 500 scans: each costs time for the whole picture
/// cost    memory for the picture; for CMYK 7/3 of that; progressive files their coefficients in addition
inline Image read_jpeg(Bytes file, std::string_view where, const ReadOptions& options) {
    const std::unique_ptr<void, int (*)(void*)> decoder(tjInitDecompress(), &tjDestroy);
    if (decoder == nullptr) throw std::bad_alloc();
    const auto fail = [&](const auto&... parts) { throw Error(Errc::image_decode, where, ": JPEG: ", parts...); };

    int width = 0, height = 0, sampling = -1, colours = -1;
    const int status =
        tjDecompressHeader3(decoder.get(), file.data(), file.size(), &width, &height, &sampling, &colours);
    // It fails for samplings it has no name for, too, but can decode them; and not for a file that holds tables alone.
    if (colours < 0) fail(status != 0 ? tjGetErrorStr2(decoder.get()) : "there is no picture");
    check_picture_size(width, height, options, where);
    // Each block of 8×8 pixels has a code of one bit at least.
    const Index blocks = Index{(width + 7) / 8} * ((height + 7) / 8);
    if (blocks > 8 * static_cast<Index>(file.size()))
        fail("the header claims ", width, "×", height, " pixels, ", file.size(), " bytes cannot hold them");

    const bool has_inks = colours == TJCS_CMYK || colours == TJCS_YCCK;
    Image out(height, width);
    Buffer<unsigned char> inks(has_inks ? Index{4} * width * height : 0);
    if (tjDecompress2(decoder.get(), file.data(), file.size(), has_inks ? inks.data() : out.pixels.data(), width, 0,
                      height, has_inks ? TJPF_CMYK : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
        // Of several warnings it keeps the first. Some cameras leave bytes behind the picture; nothing follows this one.
        const std::string_view reason = tjGetErrorStr2(decoder.get());
        if (tjGetErrorCode(decoder.get()) != TJERR_WARNING || !reason.ends_with("extraneous bytes before marker 0xd9"))
            fail(reason);
    }
    if (has_inks)
        for (Index y = 0; y < height; ++y) detail::show_inks(inks.data() + 4 * width * y, width, out.row(y));
    return options.turn_upright ? turn_upright(std::move(out), detail::jpeg_orientation(file)) : out;
}

}  // namespace tessera::inline TESSERA_ISA
