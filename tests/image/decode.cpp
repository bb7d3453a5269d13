// Decoding pictures: the reference data to the bit, broken files with one sentence and little memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/image/decode.hpp>
#include <tessera/image/decode_exact.hpp>
#include <tessera/image/decode_webp.hpp>
#include <vector>

#include "support/damage.hpp"
#include "support/golden.hpp"
#include "support/largest_block.hpp"
#include "support/picture_bytes.hpp"
#include "support/read_json.hpp"
#include "support/small_pictures.hpp"

namespace image_decode {
using namespace tessera;

namespace {

// PNG chunks with their checksums made right again, so that damage gets past them.
std::vector<unsigned char> with_checksums(std::vector<unsigned char> file) {
    for (std::size_t at = 8; detail::is_png(file) && at + 12 <= file.size();) {
        const std::size_t length = detail::big32(file, at);
        if (length > file.size() - at - 12) break;
        const std::uint32_t sum = detail::crc32(Bytes(file).subspan(at + 4, length + 4));
        for (std::size_t i = 0; i < 4; ++i) file[at + 8 + length + i] = static_cast<unsigned char>(sum >> (24 - 8 * i));
        at += length + 12;
    }
    return file;
}

}  // namespace

TEST_CASE("all pictures of the reference data, JPEG too, to the bit") {
    const Safetensors expected(test::golden("images/decoded.safetensors"));
    const Json index = test::read_json(test::golden("images/index.json"));
    int pictures = 0, dropped = 0, upright = 0;
    for (const Json& entry : index["images"]) {
        const auto file = entry["file"].get<std::string>();
        CAPTURE(file);
        const std::string name = file.substr(0, file.rfind('.'));
        const auto path = test::golden("images/" + file);
        DecodeOptions options{.transparency = Transparency::white, .turn_upright = false, .decoders = {decode_exact}};
        CHECK(test::worst_difference(read_image(path, options), expected.tensor(name + ".rgb")) == 0);
        // The decoder of decode.hpp alone: the same bytes, of JPEG near them (tests/image/jpeg.cpp says how near, and where not).
        const Image plain = read_image(path, {.transparency = Transparency::white, .turn_upright = false});
        const int difference = test::worst_difference(plain, expected.tensor(name + ".rgb"));
        CHECK(difference <= (!file.ends_with(".jpg") ? 0 : name == "photo_progressive" ? 34 : 3));
        ++pictures;
        if (const auto* want = expected.find(name + ".rgb_alpha_dropped")) {
            CHECK(test::worst_difference(read_image(path), *want) == 0);
            ++dropped;
        }
        if (const auto* want = expected.find(name + ".rgb_upright")) {
            CHECK(test::worst_difference(read_image(path, {.decoders = {decode_exact}}), *want) == 0);
            ++upright;
        }
    }
    CHECK(pictures == 13);
    CHECK(dropped == 3);
    CHECK(upright == 1);
}

TEST_CASE("each malformed picture does what it must, in one line that names it, and asks for little memory") {
    const Json index = test::read_json(test::golden("malformed/index.json"));
    int errors = 0, loads = 0, either = 0;
    for (const Json& entry : index["cases"]) {
        if (entry["kind"] != "image") continue;
        const auto path = test::golden("malformed/" + entry["path"].get<std::string>());
        const auto must = entry["must"].get<std::string>();
        CAPTURE(path.string());
        std::string message;
        test::forget_largest_block();
        try {
            const Image image = read_image(path);
            CHECK(image.pixels.size() > 0);
        } catch (const Error& error) {
            message = error.what();
            CHECK((error.code == Errc::image_decode || error.code == Errc::image_size ||
                   error.code == Errc::file_format));
            CHECK(message.find(path.string()) != std::string::npos);
            CHECK(message.find('\n') == std::string::npos);
        }
        CHECK(test::largest_block() < 1'000'000);
        if (must == "error") CHECK_FALSE(message.empty());
        if (must == "load") CHECK(message.empty());
        errors += must == "error" ? 1 : 0;
        loads += must == "load" ? 1 : 0;
        either += must == "either" ? 1 : 0;
    }
    CHECK(errors == 24);
    CHECK(loads == 2);
    CHECK(either == 5);
}

TEST_CASE("what is no picture, or not there, or larger than allowed") {
    const auto wide = test::golden("images/wide.png");
    CHECK(read_image(wide, {.most_pixels = 97 * 61}).width() == 97);
    CHECK_THROWS_WITH_AS(read_image(wide, {.most_pixels = 97 * 61 - 1}),
                         ("[image.size] " + wide.string() + ": expected at most 5916 pixels, found 97×61").c_str(),
                         Error);
    const std::string expected = "expected PNG, JPEG, BMP, GIF, TGA, PPM or PGM";
    CHECK(test::complaint({}, "nothing") == "[file.format] nothing: the file is empty, " + expected);
    const auto named = [](std::string_view text) {
        return test::complaint({reinterpret_cast<const unsigned char*>(text.data()), text.size()}, "x");
    };
    CHECK(named("no picture") == "[file.format] x: " + expected + ", found a file that begins with 'no picture'");
    CHECK(named({"II*\0\1", 5}) == "[file.format] x: this is a TIFF file; " + expected);
    CHECK(named({"\0\0\0\x1c"
                 "ftypavif",
                 12}) == "[file.format] x: this is an AVIF file; " + expected);
    CHECK(named({"\0\0\0\x1c"
                 "ftypheic",
                 12}) == "[file.format] x: this is a HEIC file; " + expected);
    CHECK(named("<!DOCTYPE html><html>") == "[file.format] x: this is a web page; " + expected);
    CHECK_THROWS_AS(read_image(test::golden("images/no_such.png")), Error);
}

TEST_CASE("a decoder of the caller's comes first") {
    const auto red_dot = [](Bytes file, std::string_view, const DecodeOptions&) -> std::optional<Image> {
        if (file.empty() || file[0] != 'R') return std::nullopt;
        Image out(1, 1);
        out.pixels(0, 0, 0) = 255;
        return out;
    };
    const std::vector<unsigned char> dot{'R'};
    CHECK(decode_image(dot, "dot", {.decoders = {red_dot}}).pixels(0, 0, 0) == 255);
    CHECK(decode_image(test::small_picture("rgb_8.png"), "png", {.decoders = {red_dot}}).width() == 21);
}

TEST_CASE("transparency over white is rounded as Pillow rounds it") {
    for (std::uint32_t alpha = 0; alpha < 256; ++alpha)
        for (std::uint32_t colour = 0; colour < 256; ++colour) {
            const double exact = (colour * alpha + 255.0 * (255 - alpha)) / 255;
            const int got = detail::seen(colour, alpha, Transparency::white);
            REQUIRE(std::abs(got - exact) <= 0.51);
            REQUIRE(detail::seen(colour, alpha, Transparency::drop) == colour);
        }
}

TEST_CASE("damaged files are read or refused, and nothing else happens") {
    test::Damage damage(2026);
    int read = 0, refused = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test::small_pictures())) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(".py") || name.ends_with(".safetensors")) continue;
        const auto file = test::bytes_of(entry.path());
        for (int times = 0; times < 40; ++times) {
            auto broken = damage(file);
            if (times % 4 != 0) broken = with_checksums(std::move(broken));
            broken.shrink_to_fit();  // so that a sanitizer sees the end
            test::forget_largest_block();
            try {
                const Image image =
                    decode_image(broken, name, {.most_pixels = 1 << 16, .decoders = {decode_exact, decode_webp}});
                CHECK(image.pixels.size() > 0);
                ++read;
            } catch (const Error&) {
                ++refused;
            }
            CHECK(test::largest_block() < 20'000'000);
        }
    }
    CHECK(read + refused == 133 * 40);
    CHECK(read > 100);  // otherwise the damage is too much to test anything behind the headers
    CHECK(refused > 1000);
}

}  // namespace image_decode
