// BMP: palettes, depths and masks against Pillow; and headers that lie.
#include <doctest/doctest.h>

#include <string>
#include <tessera/image/decode.hpp>
#include <vector>

#include "support/small_pictures.hpp"

namespace image_bmp {
using namespace tessera;

TEST_CASE("palettes, masks, alpha and both directions, to the bit") {
    CHECK(test::compare_small_pictures(".bmp") == 14);
}

TEST_CASE("what contradicts itself is named, and a cut file is refused") {
    const auto good = test::small_picture("rgb_24.bmp");
    const auto message = [](const std::vector<unsigned char>& file) { return test::complaint(file, "x.bmp"); };
    const auto changed = [&](std::size_t at, unsigned char byte) {
        auto file = good;
        file[at] = byte;
        return message(file);
    };
    CHECK(changed(14, 41) == "[image.decode] x.bmp: BMP: a header of 41 bytes is not known");
    CHECK(changed(28, 7) == "[image.decode] x.bmp: BMP: there is no bit depth 7");
    CHECK(changed(30, 1) == "[image.decode] x.bmp: BMP: compression 1 is not supported");
    CHECK(changed(10, 20) == "[image.decode] x.bmp: BMP: the pixels begin at byte 20, inside the header");
    CHECK(changed(21, 0x80) == "[image.size] x.bmp: the picture is empty (-2147483629×11)");
    CHECK(changed(24, 1) ==
          "[image.decode] x.bmp: BMP: the header claims 19×65547 pixels of 24 bits from byte 54 on, "
          "the file has 714 bytes");
    auto palette = test::small_picture("palette_8.bmp");
    palette[46] = 2;  // colours in the palette
    CHECK(message(palette).ends_with(" of a palette of 2"));
    test::check_cuts("rgb_24.bmp", 2, good.size() - 3);  // the last row is filled up with 3 bytes
}

TEST_CASE("bits under a mask fill the whole range") {
    CHECK(detail::masked_byte(0x001f, 0x001f) == 255);
    CHECK(detail::masked_byte(0xf800, 0xf800) == 255);
    CHECK(detail::masked_byte(0x0400, 0x07e0) == 32 * 255 / 63);
    CHECK(detail::masked_byte(0xffffffff, 0xffffffff) == 255);
    CHECK(detail::masked_byte(0xffffffff, 0) == 0);
}

}  // namespace image_bmp
