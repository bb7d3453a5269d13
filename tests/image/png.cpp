// PNG: every depth and colour type, plain and interlaced, against Pillow; and files that contradict themselves.
#include <doctest/doctest.h>

#include <string>
#include <tessera/image/decode.hpp>

#include "support/small_pictures.hpp"

namespace image_png {
using namespace tessera;

TEST_CASE("all depths, colour types, filters, ways to compress, orientations, to the bit") {
    CHECK(test::compare_small_pictures(".png") == 48);
}

TEST_CASE("16 bits of gray saturate as in Pillow, or are scaled") {
    const auto dark = test::small_picture("gray_16_dark.png");
    const Image saturated = decode_image(dark, "dark", {});
    const Image scaled = decode_image(dark, "dark", {.deep_gray = DeepGray::scaled});
    int white = 0;
    for (Index y = 0; y < scaled.height(); ++y)
        for (Index x = 0; x < scaled.width(); ++x) {
            CHECK(scaled.pixels(y, x, 0) <= 1);  // up to 400 of 65535
            white += saturated.pixels(y, x, 0) == 255 ? 1 : 0;
            if (scaled.pixels(y, x, 0) == 1) CHECK(saturated.pixels(y, x, 0) == 255);
        }
    CHECK(white > 5);
}

TEST_CASE("the orientation of an eXIf chunk is applied unless the caller says otherwise") {
    // A picture of 2 × 1 with the orientation 6: its left end is the top.
    test::Png png(2, 1);
    png.chunk("eXIf", {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0});
    const auto file = png.rows({{0, 1, 2, 3, 4, 5, 6}}).file();
    const Image turned = decode_image(file, "turned", {}),
                stored = decode_image(file, "stored", {.turn_upright = false});
    CHECK(turned.height() == 2);
    CHECK(turned.pixels(1, 0, 0) == 4);
    CHECK(stored.width() == 2);
}

TEST_CASE("what contradicts itself is named, with the place") {
    const auto message = [](const std::vector<unsigned char>& file, Transparency transparency = Transparency::drop) {
        return test::complaint(file, "x.png", {.transparency = transparency});
    };
    const std::vector<unsigned char> row{0, 10, 20, 30};
    CHECK(message(test::Png(1, 1).rows({row}).file()) == "read");
    CHECK(message(test::Png(1, 1).rows({row, row}).file()) == "read");  // more than is needed is nobody's harm
    CHECK(message(test::Png(1, 1).chunk("abCD", {}).rows({row}).file()) == "read");
    CHECK(message(test::Png(1, 2).rows({row}).file()).starts_with("[image.decode] x.png: PNG: "));

    const std::string begin = "[image.decode] x.png: PNG: ";
    CHECK(message(test::Png(1, 2).rows({row}).file()) == begin + "not enough pixels");
    CHECK(message(test::Png(1, 1).rows({{5, 10, 20, 30}}).file()) == begin + "invalid filter");
    CHECK(message(test::Png(1, 1).chunk("IHDR", {}).rows({row}).file()) ==
          begin + "the chunk 'IHDR' at byte 33 of 84 is not where it should be");
    CHECK(message(test::Png(1, 1).chunk("ABCD", {}).rows({row}).file()) ==
          begin + "the chunk 'ABCD' at byte 33 of 84 is of a kind that nobody can leave out, and is not known");
    CHECK(message(test::Png(1, 1, 8, 3).chunk("PLTE", {1, 2}).rows({{0, 0}}).file()) ==
          begin + "the chunk 'PLTE' at byte 33 of 84 is no palette");
    CHECK(message(test::Png(1, 1, 8, 3).rows({{0, 0}}).file()) == begin + "there is no palette (PLTE)");
    CHECK(message(test::Png(1, 1, 4, 2).rows({row}).file()) == begin + "IHDR: there is no colour type 2 of 4 bits");
    CHECK(message(test::Png(1, 1, 8, 5).rows({row}).file()) == begin + "IHDR: there is no colour type 5 of 8 bits");
    CHECK(message(test::Png(1, 1).file()) == begin + "there is no chunk IDAT");
    auto cut = test::Png(1, 1).rows({row}).file();
    cut.resize(cut.size() - 1);
    CHECK(message(cut) == begin + "the file is cut in the chunk at byte 60 of 71");
    auto checksum = test::Png(1, 1).chunk("abCD", {}).rows({row}).file();
    ++checksum[8 + 25 + 8];
    CHECK(message(checksum) == begin + "the chunk 'abCD' at byte 33 of 84 has a wrong checksum (CRC)");
    CHECK(
        message(test::Png(1, 1).rows({std::vector<unsigned char>(60'000), std::vector<unsigned char>(5'000)}).file()) ==
        "read");

    auto sum = test::Png(1, 1).rows({row}).file();
    const std::size_t data =
        8 + 25;  // the chunk: length, type, two bytes of header, a stored block of 5 + 4, the checksum
    REQUIRE(detail::has(sum, data + 4, "IDAT"));
    ++sum[data + 8 + 2 + 9];
    const std::uint32_t right = detail::crc32(Bytes(sum).subspan(data + 4, 4 + 15));
    for (std::size_t i = 0; i < 4; ++i) sum[data + 8 + 15 + i] = static_cast<unsigned char>(right >> (24 - 8 * i));
    CHECK(message(sum) == begin + "the data has a wrong checksum (Adler-32)");
    auto much = test::Png(1, 1).rows({row, std::vector<unsigned char>(65'000)}).file();
    CHECK(message(much) == "read");

    // Transparent colours that do not fit are nobody's.
    for (const auto& file : {test::Png(1, 1).rows({row}).chunk("tRNS", {0, 10, 0, 20, 0, 30}).file(),
                             test::Png(1, 1).chunk("tRNS", {0, 0}).rows({row}).file(),
                             test::Png(1, 1, 8, 6).chunk("tRNS", {0, 0}).rows({{0, 10, 20, 30, 255}}).file()}) {
        const Image got = decode_image(file, "x.png", {.transparency = Transparency::white});
        CHECK(got.pixels(0, 0, 0) == 10);
    }
    const auto transparent = test::Png(1, 1).chunk("tRNS", {0, 10, 0, 20, 0, 30}).rows({row}).file();
    CHECK(decode_image(transparent, "x.png", {.transparency = Transparency::white}).pixels(0, 0, 0) == 255);

    CHECK(message(test::Png(10'000, 10'000).rows({row}).file()) ==
          "[image.decode] x.png: PNG: the header claims 10000×10000 pixels, 72 bytes cannot hold them");
    CHECK(message(test::Png(0, 5).rows({row}).file()) == "[image.size] x.png: the picture is empty (0×5)");
}

TEST_CASE("a file is refused wherever it is cut, without its last chunk too") {
    for (const char* name : {"rgb_8.png", "palette_4_transparent.png", "gray_16_interlaced.png", "xmp_8_packed.png"})
        test::check_cuts(name, 8, test::small_picture(name).size());
}

}  // namespace image_png
