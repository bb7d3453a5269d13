// PNG: every depth and colour type, plain and interlaced, against Pillow; and files that contradict themselves.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tessera/image/png.hpp>

#include "support/picture_bytes.hpp"
#include "support/small_pictures.hpp"

using namespace tessera;

TEST_CASE("all depths, colour types, filters and ways to compress, to the bit") {
    CHECK(test::compare_small_pictures(".png") == 42);
}

TEST_CASE("16 bits of gray saturate as in Pillow, or are scaled") {
    const auto dark = test::small_picture("gray_16_dark.png");
    const Image saturated = read_png(dark, "dark", {});
    const Image scaled = read_png(dark, "dark", {.deep_gray = DeepGray::scaled});
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
    const Image turned = read_png(file, "turned", {}), stored = read_png(file, "stored", {.turn_upright = false});
    CHECK(turned.height() == 2);
    CHECK(turned.pixels(1, 0, 0) == 4);
    CHECK(stored.width() == 2);
}

TEST_CASE("chunks that contradict each other are named") {
    const auto message = [](const test::Png& png) {
        try {
            read_png(png.file(), "x.png", {});
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("read");
    };
    const std::vector<unsigned char> row{0, 10, 20, 30};
    CHECK(message(test::Png(1, 1).rows({row})) == "read");
    CHECK(message(test::Png(1, 1).rows({row, row})) == "read");  // more than is needed is nobody's harm
    CHECK(message(test::Png(1, 2).rows({row})) ==
          "[image.decode] x.png: PNG: expected 8 bytes of decompressed rows, found 4");
    CHECK(message(test::Png(1, 1).rows({{5, 10, 20, 30}})) ==
          "[image.decode] x.png: PNG: row 0 has filter 5, there are 0 to 4");
    CHECK(message(test::Png(1, 1).chunk("IHDR", {}).rows({row})) ==
          "[image.decode] x.png: PNG: expected one IHDR chunk, at the beginning");
    CHECK(message(test::Png(1, 1).chunk("ABCD", {}).rows({row})) ==
          "[image.decode] x.png: PNG: the chunk 'ABCD' is not known");
    CHECK(message(test::Png(1, 1).chunk("abCD", {}).rows({row})) == "read");
    CHECK(message(test::Png(1, 1).rows({row}).chunk("tRNS", {0, 0, 0, 0, 0, 0})) ==
          "[image.decode] x.png: PNG: the chunk 'tRNS' stands behind the picture data");
    CHECK(message(test::Png(1, 1).chunk("tRNS", {0, 0}).rows({row})) ==
          "[image.decode] x.png: PNG: expected 6 bytes in the chunk 'tRNS', found 2");
    CHECK(message(test::Png(1, 1, 8, 6).chunk("tRNS", {0, 0}).rows({row})) ==
          "[image.decode] x.png: PNG: the chunk 'tRNS' and an alpha channel contradict");
    CHECK(message(test::Png(1, 1, 8, 3).chunk("PLTE", {1, 2}).rows({{0, 0}})) ==
          "[image.decode] x.png: PNG: expected a palette of 1 to 256 colours, found 2 bytes");
    CHECK(message(test::Png(1, 1, 8, 3).chunk("PLTE", {1, 2, 3}).rows({{0, 1}})) ==
          "[image.decode] x.png: PNG: a pixel has colour 1 of a palette of 1");
    CHECK(message(test::Png(1, 1, 4, 2).rows({row})) == "[image.decode] x.png: PNG: colour type 2 has no bit depth 4");
    CHECK(message(test::Png(10'000, 10'000).rows({row})) ==
          "[image.decode] x.png: PNG: the header claims 10000×10000 pixels, 15 bytes of compressed data cannot hold "
          "them");
    CHECK(message(test::Png(0, 5).rows({row})) == "[image.size] x.png: the picture is empty (0×5)");
}
