// Pictures written and read back.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <tessera/image/decode.hpp>
#include <tessera/image/write.hpp>

#include "support/golden.hpp"
#include "support/picture_bytes.hpp"

namespace image_write {
using namespace tessera;

TEST_CASE("what is written is read again, to the bit") {
    const auto folder = std::filesystem::temp_directory_path() / "tessera_write_png";
    std::filesystem::create_directories(folder);
    const auto path = folder / "a.png";
    for (const auto& [height, width] : {std::pair<Index, Index>{1, 1}, {1, 257}, {33, 7}}) {
        Image image(height, width);
        for (Index i = 0; i < image.pixels.size(); ++i) image.pixels.data()[i] = static_cast<unsigned char>(i * i >> 3);
        write_png(path, image);
        CHECK(test::worst_difference(read_image(path), image) == 0);
    }
    const Image photo = read_image(test::golden("images/photo_444.jpg"));
    write_png(path, photo);  // over the one before
    CHECK(test::worst_difference(read_image(path), photo) == 0);
    std::filesystem::remove_all(folder);
}

TEST_CASE("what cannot be written") {
    const auto nowhere = std::filesystem::temp_directory_path() / "tessera_no_such_folder" / "a.png";
    CHECK_THROWS_WITH_AS(write_png(nowhere, Image(1, 1)),
                         ("[file.open] " + nowhere.string() + ": cannot be written: No such file or directory").c_str(),
                         Error);
    CHECK_THROWS_WITH_AS(write_png("a.png", Image()),
                         "[image.size] a.png: expected a picture to write, found an empty one (0×0)", Error);
}

TEST_CASE("a full disk is one sentence, and what is no file stays") {
    if (!std::filesystem::is_character_file("/dev/full")) return;
    CHECK_THROWS_WITH_AS(write_png("/dev/full", Image(400, 400)),
                         "[file.open] /dev/full: cannot be written: No space left on device", Error);
    CHECK(std::filesystem::is_character_file("/dev/full"));
    CHECK_FALSE(std::filesystem::exists("/dev/full.part"));
}

TEST_CASE("a file that cannot be replaced is as it was, and a link stays a link") {
    const auto folder = std::filesystem::temp_directory_path() / "tessera_write_png_links";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder / "there.png.part");  // where the new file would grow
    std::ofstream(folder / "there.png") << "old";
    CHECK_THROWS_AS(write_png(folder / "there.png", Image(1, 1)), Error);
    CHECK(std::filesystem::file_size(folder / "there.png") == 3);
    CHECK(std::filesystem::is_directory(folder / "there.png.part"));
    std::ofstream(folder / "old.png") << "old";
    std::filesystem::create_symlink("old.png", folder / "link.png");
    write_png(folder / "link.png", Image(2, 3));
    CHECK(std::filesystem::is_symlink(folder / "link.png"));
    CHECK(read_image(folder / "old.png").width() == 3);
    std::filesystem::remove_all(folder);
}

}  // namespace image_write
