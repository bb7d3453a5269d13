// Brightness and detail against Pillow's bytes; shears, moves and turns against OpenCV's.
#include <doctest/doctest.h>

#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/image/affine.hpp>
#include <tessera/image/enhance.hpp>

#include "support/picture_bytes.hpp"

namespace image_enhance {
using namespace tessera;

namespace {

/// What Pillow or OpenCV made of a picture is the name of a tensor.
struct Expected {
    Safetensors tensors{std::filesystem::path(__FILE__).parent_path() / "augment" / "expected.safetensors"};

    Image picture(const std::string& name) const { return test::picture_of(tensors.tensor(name)); }
    int difference(const Image& got, const std::string& name) const {
        return test::worst_difference(got, tensors.tensor(name));
    }
};

}  // namespace

TEST_CASE("contrast, equal frequencies, brightness and sharpness are Pillow's to the byte") {
    const Expected expected;
    for (const std::string name : {"noise", "smooth"}) {
        CAPTURE(name);
        const Image from = expected.picture(name);
        CHECK(expected.difference(autocontrast(from), name + ".autocontrast") == 0);
        CHECK(expected.difference(equalize(from), name + ".equalize") == 0);
        CHECK(test::worst_difference(brightness(from, 1), from) == 0);
        CHECK(test::worst_difference(sharpness(from, 1), from) == 0);
        CHECK(test::worst_difference(autocontrast(from), from) > 0);
    }
    CHECK(expected.difference(equalize(expected.picture("smooth")), "smooth") > 0);
    const Image from = expected.picture("noise");
    CHECK(expected.difference(brightness(from, 0.28f), "noise.brightness_weak") == 0);
    CHECK(expected.difference(brightness(from, 1.9f), "noise.brightness_strong") == 0);
    CHECK(expected.difference(sharpness(from, 0.28f), "noise.sharpness_weak") == 0);
    CHECK(expected.difference(sharpness(from, 1.9f), "noise.sharpness_strong") == 0);
}

TEST_CASE("pictures of one colour, and very small ones, stay as they are") {
    for (const auto& [height, width] : {std::array<Index, 2>{1, 1}, {2, 2}, {1, 9}, {40, 30}}) {
        Image gray(height, width);
        std::fill_n(gray.pixels.data(), gray.pixels.size(), static_cast<unsigned char>(77));
        for (const Image& out : {autocontrast(gray), equalize(gray), brightness(gray, 1), sharpness(gray, 0.1f)})
            CHECK(test::worst_difference(out, gray) == 0);
    }
}

TEST_CASE("shears, moves and turns are OpenCV's to the byte") {
    const Expected expected;
    const Image from = expected.picture("noise");
    const auto check = [&](const Affine& to, const std::string& name) {
        CAPTURE(name);
        CHECK(expected.difference(warp_affine(from, to, 128), "noise." + name) == 0);
    };
    check(Affine::shear_x(0.15f), "shear_x");
    check(Affine::shear_y(-0.3f), "shear_y");
    check(Affine::translate(-2.7f, 0), "translate_x");
    check(Affine::translate(0, 5), "translate_y");
    check(Affine::rotate(15, from.height(), from.width()), "rotate");
    check(Affine::rotate(-27.3, from.height(), from.width()), "rotate_back");
    CHECK(test::worst_difference(warp_affine(from, {}, 128), from) == 0);
    const Image gone = warp_affine(from, Affine::translate(100, 0), 9);
    for (const unsigned char byte : gone.pixels.view()) REQUIRE(byte == 9);
}

}  // namespace image_enhance
