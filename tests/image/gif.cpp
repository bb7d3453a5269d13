// GIF: the first picture against Pillow, and files that are cut or contradict themselves.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <tessera/image/decode.hpp>
#include <vector>

#include "support/small_pictures.hpp"

namespace image_gif {
using namespace tessera;

TEST_CASE("palettes, transparency, interlacing, a full table, frames beside the screen: the bytes of Pillow") {
    CHECK(test::compare_small_pictures(".gif") == 11);
}

TEST_CASE("a file is refused wherever its first picture is cut") {
    for (const char* name : {"offset.gif", "palette_interlaced.gif", "no_palette.gif"})
        test::check_cuts(name, 6,
                         test::small_picture(name).size() - 1);  // the last byte ends the file, not the picture
}

TEST_CASE("what contradicts itself is named") {
    const auto good = test::small_picture("no_palette.gif");  // screen 13 bytes, then the frame's 10, then the bits
    const auto changed = [&](std::size_t at, unsigned char byte) {
        auto file = good;
        file[at] = byte;
        return test::complaint(file, "x.gif");
    };
    REQUIRE(good[13] == ',');
    REQUIRE(good[23] == 3);
    CHECK(changed(23, 9) == "[image.decode] x.gif: GIF: there are no codes of 9 bits");
    CHECK(changed(23, 0) == "[image.decode] x.gif: GIF: there are no codes of 0 bits");
    CHECK(changed(23, 2).starts_with("[image.decode] x.gif: GIF: code "));
    CHECK(changed(13, ';') == "[image.decode] x.gif: GIF: there is no picture");
    CHECK(changed(18, 0) == "[image.size] x.gif: the picture is empty (0×4)");
    CHECK(changed(20, 5) == "[image.decode] x.gif: GIF: code 9 comes after 20 pixels");  // the end
    CHECK(changed(9, 0xff) == "[image.decode] x.gif: GIF: the header claims 5×65284 pixels, " +
                                  std::to_string(good.size()) + " bytes cannot hold them");
}

TEST_CASE("an index that no string holds yet can only be the newest") {
    // Codes of 3 bits, lowest first: clear (4), 1, then 6, the string that this very code makes: 1 1. End (5).
    const std::array<unsigned char, 2> data{0b10'001'100, 0b0'101'1};
    std::array<unsigned char, 3> out{};
    detail::unpack_gif(data, 2, out, {"x", "GIF"});
    CHECK(out == std::array<unsigned char, 3>{1, 1, 1});
    const std::array<unsigned char, 2> beyond{0b11'001'100, 0b1'101'1};  // 7
    CHECK_THROWS_AS(detail::unpack_gif(beyond, 2, out, {"x", "GIF"}), Error);
}

}  // namespace image_gif
