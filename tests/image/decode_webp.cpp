// WebP: the bytes of Pillow; and files that are cut.
#include <doctest/doctest.h>

#include <string>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_webp.hpp>

#include "support/small_pictures.hpp"

namespace image_decode_webp {
using namespace tessera;

TEST_CASE("lossy, lossless, transparent, animated, turned: the bytes of Pillow") {
    CHECK(test::compare_small_pictures(".webp", {decode_webp}) == 5);
}

TEST_CASE("without the decoder it is named") {
    CHECK(test::complaint(test::small_picture("lossy.webp"), "x.webp") ==
          "[file.format] x.webp: this is a WebP file; expected PNG, JPEG, BMP, GIF, TGA, PPM or PGM, or decode_webp of "
          "<tessera/image/decode_webp.hpp> among the decoders");
}

TEST_CASE("a file is refused wherever it is cut, and other files are left to others") {
    for (const char* name : {"lossy.webp", "exif_6.webp"})
        test::check_cuts(name, 12, test::small_picture(name).size(), {.decoders = {decode_webp}});
    const auto png = test::small_picture("rgb_8.png");
    CHECK_FALSE(decode_webp(png, "x", {}).has_value());
    CHECK(decode_image(png, "x", {.decoders = {decode_webp}}).width() == 21);
    CHECK(test::complaint(test::small_picture("lossy.webp"), "x", {.most_pixels = 10, .decoders = {decode_webp}}) ==
          "[image.size] x: expected at most 10 pixels, found 23×17");
}

}  // namespace image_decode_webp
