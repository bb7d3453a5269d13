// WebP through libwebp (-lwebpdemux -lwebp, the component webp): read_image(path, {.decoders = {decode_webp}}).
#pragma once
#include <webp/demux.h>

#include <memory>
#include <optional>
#include <string_view>
#include <tessera/image/decode_options.hpp>
#include <tessera/image/orientation.hpp>

namespace tessera::inline TESSERA_ISA {

/// Decodes a WebP file: lossy, lossless, the first picture of an animation. A Decoder.
/// shape   → [height, width, 3]
/// units   the bytes that Pillow gives
/// errors  those of read_image
/// cost    memory for the picture, and twice for the picture with alpha
inline std::optional<Image> decode_webp(Bytes file, std::string_view where, const DecodeOptions& options) {
    if (!detail::has(file, 0, "RIFF") || !detail::has(file, 8, "WEBP")) return std::nullopt;
    const detail::Complaint fail{where, "WebP"};
    const WebPData data{file.data(), file.size()};
    const std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> parts(WebPDemux(&data), &WebPDemuxDelete);
    if (parts == nullptr) fail("the file is cut or damaged");
    const Index width = WebPDemuxGetI(parts.get(), WEBP_FF_CANVAS_WIDTH);
    const Index height = WebPDemuxGetI(parts.get(), WEBP_FF_CANVAS_HEIGHT);
    detail::check_picture_size(width, height, options, where);

    const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(WebPAnimDecoderNew(&data, nullptr),
                                                                               &WebPAnimDecoderDelete);
    unsigned char* rgba = nullptr;
    int milliseconds = 0;
    if (decoder == nullptr || WebPAnimDecoderGetNext(decoder.get(), &rgba, &milliseconds) == 0)
        fail("the picture is damaged");
    Image out(height, width);
    unsigned char* to = out.pixels.data();
    for (const unsigned char* const end = to + out.pixels.size(); to != end; to += 3, rgba += 4)
        for (Index c = 0; c < 3; ++c) to[c] = detail::seen(rgba[c], rgba[3], options.transparency);
    if (!options.turn_upright) return out;

    const auto chunk = [&](const char* name, auto orientation_of) {
        WebPChunkIterator found{};
        std::optional<Orientation> orientation;
        if (WebPDemuxGetChunk(parts.get(), name, 1, &found) != 0)
            orientation = orientation_of(Bytes(found.chunk.bytes, found.chunk.size));
        WebPDemuxReleaseChunkIterator(&found);
        return orientation;
    };
    const auto exif = chunk("EXIF", exif_orientation);
    const auto xmp = chunk("XMP ", [](Bytes packet) { return xmp_orientation(detail::text_of(packet)); });
    return turn_upright(std::move(out), exif ? *exif : xmp.value_or(Orientation::top_left));
}

}  // namespace tessera::inline TESSERA_ISA
