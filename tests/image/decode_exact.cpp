// JPEG through libjpeg-turbo: the bytes of Pillow; and damage inside the data.
#include <doctest/doctest.h>

#include <string>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <vector>

#include "support/small_pictures.hpp"

namespace image_decode_exact {
using namespace tessera;

namespace {

const DecodeOptions exact{.decoders = {decode_exact}};

// The place of the byte after a marker.
std::size_t after(const std::vector<unsigned char>& file, unsigned char marker) {
    for (std::size_t at = 0; at + 1 < file.size(); ++at)
        if (file[at] == 0xff && file[at + 1] == marker) return at + 2;
    FAIL("no such marker");
    return 0;
}

}  // namespace

TEST_CASE("all samplings, baseline and progressive, restarts, gray, RGB, CMYK, oddities: the bytes of Pillow") {
    CHECK(test::compare_small_pictures(".jpg", {decode_exact}) == 33);
}

TEST_CASE("other files are left to others") {
    CHECK_FALSE(decode_exact(test::small_picture("rgb_8.png"), "x", {}).has_value());
}

TEST_CASE("an end marker does not make a picture of half a one") {
    const auto file = test::small_picture("baseline_420.jpg");
    const std::size_t data = after(file, 0xda) + 12;
    for (std::size_t size = data; size + 4 < file.size(); ++size) {
        CAPTURE(size);
        if (file[size - 1] == 0xff) continue;  // the end marker's own byte would be taken for stuffing
        std::vector<unsigned char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
        cut.insert(cut.end(), {0xff, 0xd9});
        CHECK_THROWS_AS(decode_image(cut, "cut", exact), Error);
    }
}

TEST_CASE("damage inside the data is found") {
    const auto refused = [](const std::vector<unsigned char>& file, std::string_view words) {
        const std::string got = test::complaint(file, "x.jpg", exact);
        CAPTURE(got);
        CHECK(got.starts_with("[image.decode] x.jpg: JPEG: "));
        CHECK(got.find(words) != std::string::npos);  // the others are libjpeg's own affair
    };
    auto restarts = test::small_picture("restarts.jpg");
    restarts[after(restarts, 0xd1) - 1] = 0xd2;
    refused(restarts, "marker");
    auto codes = test::small_picture("baseline_420.jpg");
    codes[after(codes, 0xc4) + 3] = 200;  // of one bit, of which there are two at most
    refused(codes, "Huffman table");
}

TEST_CASE("bytes after the data, as some cameras leave them, do no harm") {
    const auto good = test::small_picture("baseline_420.jpg");
    auto longer = good;
    longer.insert(longer.end() - 2, {1, 2, 3});
    CHECK(test::worst_difference(decode_image(longer, "longer", exact), decode_image(good, "good", exact)) == 0);
    longer.resize(longer.size() - 2);
    CHECK_THROWS_AS(decode_image(longer, "and no end", exact), Error);
}

TEST_CASE("a sampling without a name is read") {
    auto file = test::small_picture("baseline_1x1.jpg");  // one unit: four blocks of luma and two of colour
    REQUIRE(file[after(file, 0xc0) + 9] == 0x22);
    const Image usual = decode_image(file, "2×2", exact);
    file[after(file, 0xc0) + 9] = 0x14;
    const Image rare = decode_image(file, "1×4", exact);
    CHECK(test::worst_difference(rare, usual) == 0);
}

}  // namespace image_decode_exact
