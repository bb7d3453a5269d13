// TGA against Pillow, and files that are cut or contradict themselves.
#include <doctest/doctest.h>

#include <string>
#include <tessera/image/decode.hpp>

#include "support/small_pictures.hpp"

namespace image_tga {
using namespace tessera;

TEST_CASE("gray, colour, palettes, runs, from every corner: the bytes of Pillow") {
    CHECK(test::compare_small_pictures(".tga") == 14);
}

TEST_CASE("a file is refused wherever its picture is cut") {
    for (const char* name : {"bits_16.tga", "from_top.tga", "palette_from_3.tga"})
        test::check_cuts(name, 0, test::small_picture(name).size());
    test::check_cuts("rgb_runs.tga", 0, test::small_picture("rgb_runs.tga").size() - 26);  // what follows describes it
}

TEST_CASE("what contradicts itself is named, and what is no header of TGA is no TGA") {
    const auto good = test::small_picture("palette_from_3.tga");
    const auto changed = [&](std::size_t at, unsigned char byte) {
        auto file = good;
        file[at] = byte;
        return test::complaint(file, "x.tga");
    };
    CHECK(changed(12, 0) == "[image.size] x.tga: the picture is empty (0×5)");
    CHECK(changed(13, 1) == "[image.decode] x.tga: TGA: the header claims 263×5 pixels, 65 bytes cannot hold them");
    CHECK(changed(40, 7) == "[image.decode] x.tga: TGA: a pixel has colour 7 of 4");
    CHECK(changed(40, 2) == "[image.decode] x.tga: TGA: a pixel has colour 2 of 4");
    for (const auto& [at, byte] : {std::pair<std::size_t, int>{1, 2}, {2, 4}, {2, 0x11}, {7, 8}, {16, 16}, {17, 0x40}})
        CHECK(changed(at, static_cast<unsigned char>(byte))
                  .starts_with("[file.format] x.tga: expected PNG, JPEG, BMP, "));
}

}  // namespace image_tga
