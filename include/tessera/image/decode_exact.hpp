// JPEG to the very bytes that Pillow gives, through the TurboJPEG interface of libjpeg-turbo (-lturbojpeg, the component
// exact-images): read_image(path, {.decoders = {decode_exact}}).
#pragma once
#include <turbojpeg.h>

#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/jpeg.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

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

/// Decodes a JPEG file of 8 bits a sample: gray, colour or CMYK, baseline or progressive. A Decoder.
/// shape   → [height, width, 3]
/// errors  those of read_image; a file whose data is damaged or ends early is an error too
/// cost    memory for the file and the picture; for CMYK 7/3 of that; progressive files their coefficients in addition
inline std::optional<Image> decode_exact(Bytes file, std::string_view where, const DecodeOptions& options) {
    if (!detail::is_jpeg(file)) return std::nullopt;
    const detail::JpegFile jpeg(file, where, options);
    const std::unique_ptr<void, int (*)(void*)> decoder(tjInitDecompress(), &tjDestroy);
    if (decoder == nullptr) throw std::bad_alloc();
    const int width = static_cast<int>(jpeg.width), height = static_cast<int>(jpeg.height);
    const bool has_inks = jpeg.has_inks();
    Image out(height, width);
    Buffer<unsigned char> inks(has_inks ? Index{4} * width * height : 0);
    if (tjDecompress2(decoder.get(), jpeg.essence.data(), jpeg.essence.size(),
                      has_inks ? inks.data() : out.pixels.data(), width, 0, height, has_inks ? TJPF_CMYK : TJPF_RGB,
                      TJFLAG_ACCURATEDCT) != 0) {
        // Of several warnings it keeps the first. Some cameras leave bytes after the data; nothing follows this warning.
        const std::string_view reason = tjGetErrorStr2(decoder.get());
        if (tjGetErrorCode(decoder.get()) != TJERR_WARNING || !reason.ends_with("extraneous bytes before marker 0xd9"))
            throw Error(Errc::image_decode, where, ": JPEG: ", reason);
    }
    if (has_inks)
        for (Index y = 0; y < height; ++y) detail::show_inks(inks.data() + 4 * width * y, width, out.row(y));
    return options.turn_upright ? turn_upright(std::move(out), jpeg.orientation) : std::move(out);
}

}  // namespace tessera::inline TESSERA_ISA
