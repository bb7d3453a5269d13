// JPEG through stb_image: near the bytes of Pillow; and the structure of a file, which is checked for every decoder.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <tessera/image/decode.hpp>
#include <vector>

#include "support/small_pictures.hpp"

namespace image_jpeg {
using namespace tessera;

namespace {

// The place of the byte after a marker.
std::size_t after(const std::vector<unsigned char>& file, unsigned char marker) {
    for (std::size_t at = 0; at + 1 < file.size(); ++at)
        if (file[at] == 0xff && file[at + 1] == marker) return at + 2;
    FAIL("no such marker");
    return 0;
}

}  // namespace

TEST_CASE("all samplings, baseline and progressive, restarts, gray, RGB, CMYK, oddities: within 3 of Pillow") {
    // Known of stb_image 2.27: it mixes up two neighbours at the right edge where chroma is halved across only, and smooths
    // chroma in pictures that are too narrow for libjpeg to do so.
    const auto compare = [](const Image& got, const Image& want, const std::string& name) {
        REQUIRE(got.pixels.extents() == want.pixels.extents());
        const bool narrow = want.width() <= 4, halved_across = name.find("422") != std::string::npos;
        for (Index y = 0; y < want.height(); ++y)
            for (Index x = 0; x < want.width(); ++x)
                for (Index c = 0; c < 3; ++c) {
                    const bool known = narrow || (halved_across && x >= want.width() - 2);
                    REQUIRE(std::abs(got.pixels(y, x, c) - want.pixels(y, x, c)) <= (known ? 34 : 3));
                }
    };
    CHECK(test::compare_small_pictures(".jpg", {}, compare) == 33);
}

TEST_CASE("a file is refused wherever it is cut") {
    for (const char* name : {"baseline_420.jpg", "progressive_422.jpg", "restarts.jpg", "exif_6.jpg"})
        test::check_cuts(name, 3, test::small_picture(name).size());
}

TEST_CASE("what contradicts itself is named") {
    const auto good = test::small_picture("baseline_420.jpg");
    const auto changed = [&](unsigned char marker, std::size_t offset, unsigned char byte) {
        auto file = good;
        file[after(file, marker) + offset] = byte;
        return test::complaint(file, "x.jpg");
    };
    const std::string begin = "[image.decode] x.jpg: JPEG: ";
    CHECK(changed(0xc0, 2, 12) == begin + "expected 8 bits a sample, found 12");
    CHECK(changed(0xc0, 7, 2) == begin + "expected 1, 3 or 4 components, found 2");
    CHECK(changed(0xc0, 7, 4) == begin + "the frame has 15 bytes for 4 components");
    CHECK(changed(0xc0, 9, 0x20) == begin + "there is no sampling 2×0");
    CHECK(changed(0xc0, 10, 4) == begin + "there is no quantisation table 4");
    CHECK(changed(0xc0, 10, 3) == begin + "a scan names a table that is not there");
    CHECK(changed(0xdb, 2, 0x24) == begin + "the quantisation table 36 is not known, or is cut");
    CHECK(changed(0xda, 2, 4).starts_with(begin + "a scan of 4 components"));
    CHECK(changed(0xda, 3, 9) == begin + "there is no component 9");
    CHECK(changed(0xda, 5, 1) == begin + "there is no data for component 2");
    CHECK(changed(0xda, 4, 0x20) == begin + "a scan names a table that is not there");
    CHECK(changed(0xc4, 2, 0x20).starts_with(begin + "the Huffman table 32 of "));
    CHECK(changed(0xc4, 3, 255).starts_with(begin + "the Huffman table 0 of "));
    CHECK(changed(0xc0, 3, 0xff) ==
          begin + "the header claims 45×65315 pixels, " + std::to_string(good.size()) + " bytes cannot hold them");
    CHECK(changed(0xc0, 6, 0) == "[image.size] x.jpg: the picture is empty (0×35)");

    const auto other_frame = [&](unsigned char marker) {
        auto file = good;
        file[after(file, 0xc0) - 1] = marker;
        return test::complaint(file, "x.jpg");
    };
    CHECK(other_frame(0xc3) == begin + "lossless and hierarchical coding (SOF3) is not known");
    CHECK(other_frame(0xc9) == begin + "arithmetic coding is read by decode_exact only");
    auto twice = good;
    const auto frame = static_cast<std::ptrdiff_t>(after(good, 0xc0)) - 2;
    twice.insert(twice.begin() + frame, good.begin() + frame, good.begin() + frame + 19);
    CHECK(test::complaint(twice, "x.jpg") == begin + "there are two frames (SOF)");
    twice = good;
    twice.insert(twice.begin() + 2, {0xff, 0xd8});
    CHECK(test::complaint(twice, "x.jpg") == begin + "there are two start markers");
    CHECK(test::complaint(std::vector<unsigned char>{0xff, 0xd8, 0xff, 0xd9}, "x.jpg") ==
          begin + "there is no picture");
}

TEST_CASE("a progressive file of endless scans is refused, and soon") {
    const auto file = test::small_picture("progressive_422.jpg");
    std::size_t scan = file.size() - 2;  // the last one
    while (file[scan] != 0xff || file[scan + 1] != 0xda) --scan;
    const std::vector<unsigned char> again(file.begin() + static_cast<std::ptrdiff_t>(scan), file.end() - 2);
    std::vector<unsigned char> endless(file.begin(), file.end() - 2);
    for (int i = 0; i < 600; ++i) endless.insert(endless.end(), again.begin(), again.end());
    endless.insert(endless.end(), {0xff, 0xd9});
    CHECK(test::complaint(endless, "x.jpg") == "[image.decode] x.jpg: JPEG: there are more than 500 scans");
}

}  // namespace image_jpeg
