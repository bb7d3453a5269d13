// PNG: every depth and colour type, plain and interlaced, against Pillow; and files that contradict themselves.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tessera/image/png.hpp>

#include "support/picture_bytes.hpp"
#include "support/small_pictures.hpp"

namespace image_png {
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

TEST_CASE("what contradicts itself is named, with the place") {
    const auto message = [](const std::vector<unsigned char>& file) {
        try {
            read_png(file, "x.png", {});
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("read");
    };
    const std::vector<unsigned char> row{0, 10, 20, 30};
    CHECK(message(test::Png(1, 1).rows({row}).file()) == "read");
    CHECK(message(test::Png(1, 1).rows({row, row}).file()) == "read");  // more than is needed is nobody's harm
    CHECK(message(test::Png(1, 1).chunk("abCD", {}).rows({row}).file()) == "read");
    CHECK(message(test::Png(1, 2).rows({row}).file()).starts_with("[image.decode] x.png: PNG: "));

    // How libpng words what it finds is its own affair; `words` are those nobody can do without.
    const auto refused = [&](const test::Png& png, std::string_view words) {
        const auto file = png.file();
        const std::string got = message(file);
        CAPTURE(got);
        CHECK(got.starts_with("[image.decode] x.png: PNG: "));
        CHECK(got.find(words) != std::string::npos);
        CHECK(got.find(", at byte ") != std::string::npos);
        CHECK(got.ends_with(" of " + std::to_string(file.size())));
    };
    refused(test::Png(1, 2).rows({row}), "data");
    refused(test::Png(1, 1).rows({{5, 10, 20, 30}}), "filter");
    refused(test::Png(1, 1).chunk("IHDR", {}).rows({row}), "IHDR");
    refused(test::Png(1, 1).chunk("ABCD", {}).rows({row}), "ABCD");
    refused(test::Png(1, 1).rows({row}).chunk("tRNS", {0, 0, 0, 0, 0, 0}), "tRNS");
    refused(test::Png(1, 1).chunk("tRNS", {0, 0}).rows({row}), "tRNS");
    refused(test::Png(1, 1, 8, 6).chunk("tRNS", {0, 0}).rows({row}), "tRNS");
    refused(test::Png(1, 1, 8, 3).chunk("PLTE", {1, 2}).rows({{0, 0}}), "PLTE");
    refused(test::Png(1, 1, 8, 3).rows({{0, 0}}), "PLTE");
    refused(test::Png(1, 1, 4, 2).rows({row}), "IHDR");
    auto cut = test::Png(1, 1).rows({row}).file();
    cut.resize(cut.size() - 1);
    CHECK(message(cut) == "[image.decode] x.png: PNG: the file is cut, at byte 68 of 71");
    auto checksum = test::Png(1, 1).chunk("abCD", {}).rows({row}).file();
    ++checksum[8 + 25 + 8];
    CHECK(message(checksum).find("CRC") != std::string::npos);

    CHECK(message(test::Png(10'000, 10'000).rows({row}).file()) ==
          "[image.decode] x.png: PNG: the header claims 10000×10000 pixels, 72 bytes cannot hold them");
    CHECK(message(test::Png(0, 5).rows({row}).file()) == "[image.size] x.png: the picture is empty (0×5)");
}

TEST_CASE("a file is refused wherever it is cut") {
    for (const char* name : {"rgb_8.png", "palette_4_transparent.png", "gray_16_interlaced.png"}) {
        CAPTURE(name);
        const auto file = test::small_picture(name);
        for (std::size_t size = 8; size < file.size(); ++size) {
            CAPTURE(size);
            const std::vector<unsigned char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK_THROWS_AS(read_png(cut, name, {}), Error);
        }
    }
}

}  // namespace image_png
