// PPM and PGM against Pillow, and files that are cut or contradict themselves.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <tessera/image/decode.hpp>
#include <vector>

#include "support/small_pictures.hpp"

namespace image_pnm {
using namespace tessera;

TEST_CASE("8 and 16 bits, any largest sample, comments: the bytes of Pillow") {
    CHECK(test::compare_small_pictures(".ppm") == 4);
    CHECK(test::compare_small_pictures(".pgm") == 4);
}

TEST_CASE("a file is refused wherever it is cut") {
    for (const char* name : {"colour.ppm", "gray.pgm", "deep.pgm"})
        test::check_cuts(name, 0, test::small_picture(name).size());
}

TEST_CASE("16 bits of gray are scaled by choice") {
    const auto deep = test::small_picture("most_1000_deep.pgm");
    const Image scaled = decode_image(deep, "deep", {.deep_gray = DeepGray::scaled});
    const std::size_t samples = deep.size() - 2 * 77;
    for (std::size_t i = 0; i < 77; ++i)
        CHECK(std::abs(scaled.pixels.data()[3 * i] -
                       static_cast<double>(detail::big16(deep, samples + 2 * i)) * 0.255) <= 1);
}

TEST_CASE("what contradicts itself is named") {
    const auto complaint = [](std::string_view text) {
        return test::complaint({reinterpret_cast<const unsigned char*>(text.data()), text.size()}, "x.ppm");
    };
    CHECK(complaint("P6 1 1 255\nabc") == "read");
    CHECK(complaint("P6 1 1 255\nab") ==
          "[image.decode] x.ppm: PPM: the header claims 1×1 pixels, 13 bytes cannot hold them");
    CHECK(complaint("P6 a") == "[image.decode] x.ppm: PPM: expected a width at byte 3");
    CHECK(complaint("P5 1 99999999999 ") == "[image.decode] x.ppm: PGM: expected a height at byte 5");
    CHECK(complaint("P5 1 1 65536 a") ==
          "[image.decode] x.ppm: PGM: the largest sample: expected 1 to 65535, found 65536");
    CHECK(complaint("P5 0 1 255 a") == "[image.size] x.ppm: the picture is empty (0×1)");
    CHECK(complaint("P3 1 1 255\n1 2 3") ==
          "[file.format] x.ppm: this is a plain PNM file; expected PNG, JPEG, BMP, GIF, TGA, PPM or PGM");
}

}  // namespace image_pnm
