// JPEG: every kind of sampling, scan and colour against Pillow, to the bit; and what is cut or contradicts itself.
#include <doctest/doctest.h>

#include <string>
#include <tessera/image/jpeg.hpp>
#include <vector>

#include "support/picture_bytes.hpp"
#include "support/small_pictures.hpp"

namespace image_jpeg {
using namespace tessera;

namespace {

std::string message(const std::vector<unsigned char>& file) {
    try {
        read_jpeg(file, "x.jpg", {});
    } catch (const Error& error) {
        return error.what();
    }
    return "read";
}

// The place of the byte behind a marker.
std::size_t behind(const std::vector<unsigned char>& file, unsigned char marker) {
    for (std::size_t at = 0; at + 1 < file.size(); ++at)
        if (file[at] == 0xff && file[at + 1] == marker) return at + 2;
    FAIL("no such marker");
    return 0;
}

}  // namespace

TEST_CASE("all samplings, baseline and progressive, restarts, gray, RGB and CMYK: the bytes of Pillow") {
    CHECK(test::compare_small_pictures(".jpg") == 22);
}

TEST_CASE("a file is refused wherever it is cut") {
    for (const char* name : {"baseline_420.jpg", "progressive_422.jpg", "restarts.jpg"}) {
        CAPTURE(name);
        const auto file = test::small_picture(name);
        for (std::size_t size = 3; size < file.size(); ++size) {
            CAPTURE(size);
            const std::vector<unsigned char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK_THROWS_AS(read_jpeg(cut, name, {}), Error);
        }
    }
}

TEST_CASE("an end marker does not make a picture of half a one") {
    const auto file = test::small_picture("baseline_420.jpg");
    const std::size_t data = behind(file, 0xda) + 12;
    for (std::size_t size = data; size + 4 < file.size(); ++size) {
        CAPTURE(size);
        if (file[size - 1] == 0xff) continue;  // the end marker's own byte would be taken for stuffing
        std::vector<unsigned char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
        cut.insert(cut.end(), {0xff, 0xd9});
        CHECK_THROWS_AS(read_jpeg(cut, "cut", {}), Error);
    }
}

TEST_CASE("what contradicts itself is named") {
    const auto good = test::small_picture("baseline_420.jpg");
    // How libjpeg words what it finds is its own affair; `words` are those nobody can do without.
    const auto refused = [](const std::vector<unsigned char>& file, std::string_view words) {
        const std::string got = message(file);
        CAPTURE(got);
        CHECK(got.starts_with("[image.decode] x.jpg: JPEG: "));
        CHECK(got.find(words) != std::string::npos);
    };
    const auto changed = [&](unsigned char marker, std::size_t offset, unsigned char byte) {
        auto file = good;
        file[behind(file, marker) + offset] = byte;
        return file;
    };
    CHECK(message(good) == "read");
    refused(changed(0xc0, 2, 12), "precision 12");
    refused(changed(0xc0, 7, 2), "");                 // two components
    refused(changed(0xc0, 9, 0x20), "sampling");      // 2×0
    refused(changed(0xc0, 10, 3), "table 0x03");      // of quantisation
    refused(changed(0xda, 2, 4), "length");           // a scan of 4 components
    refused(changed(0xda, 3, 9), "component ID 9");   //
    refused(changed(0xda, 4, 0x20), "table 0x02");    // of codes
    refused(changed(0xc4, 3, 200), "Huffman table");  // more codes than there can be
    refused(changed(0xc4, 2, 0x20), "DHT index 32");  //
    auto lossless = good;
    lossless[behind(lossless, 0xc0) - 1] = 0xc3;
    refused(lossless, "0xc3");
    CHECK(message(changed(0xc0, 3, 0xff)) == "[image.decode] x.jpg: JPEG: the header claims 45×65315 pixels, " +
                                                 std::to_string(good.size()) + " bytes cannot hold them");
    refused(changed(0xc0, 6, 0), "mpty");  // a width of 0

    auto twice = good;
    const auto frame = static_cast<std::ptrdiff_t>(behind(good, 0xc0)) - 2;
    twice.insert(twice.begin() + frame, good.begin() + frame, good.begin() + frame + 19);
    refused(twice, "two SOF markers");
    refused({0xff, 0xd8, 0xff, 0xd9}, "there is no picture");
    auto restarts = test::small_picture("restarts.jpg");
    restarts[behind(restarts, 0xd1) - 1] = 0xd2;
    refused(restarts, "marker");
}

TEST_CASE("bytes behind the picture, as some cameras leave them, do no harm") {
    const auto good = test::small_picture("baseline_420.jpg");
    auto longer = good;
    longer.insert(longer.end() - 2, {1, 2, 3});
    CHECK(test::worst_difference(read_jpeg(longer, "longer", {}), read_jpeg(good, "good", {})) == 0);
    longer.resize(longer.size() - 2);
    CHECK_THROWS_AS(read_jpeg(longer, "and no end", {}), Error);
}

TEST_CASE("a sampling without a name is read") {
    auto file = test::small_picture("baseline_1x1.jpg");  // one unit: four blocks of luma and two of colour
    REQUIRE(file[behind(file, 0xc0) + 9] == 0x22);
    const Image usual = read_jpeg(file, "2×2", {});
    file[behind(file, 0xc0) + 9] = 0x14;
    const Image rare = read_jpeg(file, "1×4", {});
    CHECK(test::worst_difference(rare, usual) == 0);
}

TEST_CASE("a progressive file of endless scans is refused, and soon") {
    const auto file = test::small_picture("progressive_422.jpg");
    std::size_t scan = file.size() - 2;  // the last one
    while (file[scan] != 0xff || file[scan + 1] != 0xda) --scan;
    const std::vector<unsigned char> again(file.begin() + static_cast<std::ptrdiff_t>(scan), file.end() - 2);
    const auto with = [&](int scans) {
        std::vector<unsigned char> out(file.begin(), file.end() - 2);
        for (int i = 0; i < scans; ++i) out.insert(out.end(), again.begin(), again.end());
        out.insert(out.end(), {0xff, 0xd9});
        return message(out);
    };
    CHECK(with(600).find("500 scans") != std::string::npos);
}

}  // namespace image_jpeg
