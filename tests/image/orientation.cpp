// EXIF orientations: all eight, in both byte orders, and data that lies about itself.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <tessera/image/orientation.hpp>
#include <vector>

#include "support/picture_bytes.hpp"

namespace image_orientation {
using namespace tessera;

namespace {

// EXIF data with `before` other entries and then the orientation.
std::vector<unsigned char> exif(bool little, std::uint32_t value, std::uint32_t type = 3, std::uint32_t before = 1) {
    std::vector<unsigned char> out;
    const auto put = [&](std::uint32_t number, int bytes) {
        for (int i = 0; i < bytes; ++i)
            out.push_back(static_cast<unsigned char>(number >> 8 * (little ? i : bytes - 1 - i)));
    };
    out.assign(2, little ? 'I' : 'M');
    put(42, 2);
    put(10, 4);  // the directory, with a gap in front
    put(0, 2);
    put(before + 1, 2);
    for (std::uint32_t i = 0; i <= before; ++i) {
        put(i < before ? 0x0100 : 0x0112, 2);
        put(type, 2);
        put(1, 4);
        put(i < before ? 7 : value, type == 3 ? 2 : 4);
        if (type == 3) put(0, 2);
    }
    put(0, 4);
    return out;
}

// Letters as pixels, so that a picture can be written down.
Image letters(const std::vector<std::string>& rows) {
    Image out(static_cast<Index>(rows.size()), static_cast<Index>(rows.front().size()));
    for (Index y = 0; y < out.height(); ++y)
        for (Index x = 0; x < out.width(); ++x)
            for (Index c = 0; c < 3; ++c)
                out.pixels(y, x, c) =
                    static_cast<unsigned char>(rows[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] + 50 * c);
    return out;
}

}  // namespace

TEST_CASE("each orientation turns its stored picture into the same upright one") {
    const Image upright = letters({"abc", "def"});
    const std::vector<std::vector<std::string>> stored{{"abc", "def"},     {"cba", "fed"},     {"fed", "cba"},
                                                       {"def", "abc"},     {"ad", "be", "cf"}, {"cf", "be", "ad"},
                                                       {"fc", "eb", "da"}, {"da", "eb", "fc"}};
    for (int number = 1; number <= 8; ++number) {
        CAPTURE(number);
        const Image picture = letters(stored[static_cast<std::size_t>(number - 1)]);
        CHECK(test::worst_difference(turn_upright(picture, static_cast<Orientation>(number)), upright) == 0);
    }
}

TEST_CASE("the orientation is found in either byte order, as a short or a long number") {
    for (const bool little : {true, false})
        for (std::uint32_t value = 1; value <= 8; ++value)
            for (const std::uint32_t type : {3u, 4u})
                CHECK(exif_orientation(exif(little, value, type)) == static_cast<Orientation>(value));
}

TEST_CASE("EXIF data that is cut tells nothing, and numbers that mean nothing are upright") {
    using enum Orientation;
    CHECK_FALSE(exif_orientation({}));
    CHECK(exif_orientation(exif(true, 0)) == top_left);
    CHECK(exif_orientation(exif(true, 9)) == top_left);
    CHECK(exif_orientation(exif(false, 6, 7)) == top_left);  // not a number
    const auto whole = exif(true, 6);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::vector<unsigned char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(exif_orientation(cut) == (size < 10 + 2 + 24 ? std::nullopt : std::optional(right_top)));
    }
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            auto wrong = whole;
            wrong[at] = static_cast<unsigned char>(wrong[at] ^ 1 << bit);
            const int got = static_cast<int>(exif_orientation(wrong).value_or(top_left));
            CHECK((got >= 1 && got <= 8));
        }
}

TEST_CASE("the orientation in XMP is an attribute or an element") {
    using enum Orientation;
    CHECK(xmp_orientation("<rdf:Description tiff:Orientation=\"6\"/>") == right_top);
    CHECK(xmp_orientation("<tiff:Orientation>3</tiff:Orientation>") == bottom_right);
    CHECK(xmp_orientation("tiff:Orientation='8' <tiff:Orientation>2<") == top_right);
    CHECK(xmp_orientation("<tiff:Orientation>9<") == top_left);
    for (const char* text :
         {"", "tiff:Orientation", "tiff:Orientation=\"", "<tiff:Orientation>", "exif:Orientation=\"6\""})
        CHECK_FALSE(xmp_orientation(text));
}

}  // namespace image_orientation
