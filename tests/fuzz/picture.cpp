// Pictures of all formats. The checksums of a PNG are put right first, or hardly a changed byte would get past them.
#include <array>
#include <fuzz/fuzz.hpp>
#include <string>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <tessera/image/decode_webp.hpp>

using namespace tessera;

const std::string_view fuzz::place = "the picture";
const std::size_t fuzz::proportion = 24 * 1032;  // a byte deflated to 1032, each with 8 pixels of 3 bytes

namespace {

/// shape  a PNG is 8 bytes, then chunks: 4 bytes of length, 4 of type, the content, 4 of checksum over type and content
void repair_checksums(std::string& file) {
    const auto bytes = [&] { return Bytes(reinterpret_cast<const unsigned char*>(file.data()), file.size()); };
    for (std::size_t at = 8; file.size() - at >= 12;) {
        const std::size_t length = detail::big32(bytes(), at);
        if (length > file.size() - at - 12) return;
        const std::uint32_t sum = detail::crc32(bytes().subspan(at + 4, 4 + length));
        at += 8 + length;
        for (int shift = 24; shift >= 0; shift -= 8) file[at++] = static_cast<char>(sum >> shift & 0xff);
    }
}

}  // namespace

void fuzz::read(std::string_view bytes) {
    std::string file(bytes);
    const auto all = [&] { return Bytes(reinterpret_cast<const unsigned char*>(file.data()), file.size()); };
    if (detail::is_png(all())) repair_checksums(file);
    const auto decode = [&](const std::vector<Decoder>& decoders) {
        const Image image = decode_image(all(), place, {.most_pixels = 1 << 18, .decoders = decoders});
        expect(image.height() >= 1 && image.width() >= 1, "a picture");
    };
    try {
        decode({decode_exact, decode_webp});
    } catch (const Error&) {
        decode({});
        return;
    }
    if (detail::is_jpeg(all())) decode({});
}
