// Pictures changed by chance: what is drawn, how often, and that the same place gives the same picture.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>
#include <tessera/image/augment.hpp>
#include <vector>

#include "support/picture_bytes.hpp"

namespace image_augment {
using namespace tessera;

namespace {

Image noise(Index height, Index width) {
    Image out(height, width);
    RandomStream random(7);
    for (unsigned char& byte : out.pixels.view()) byte = static_cast<unsigned char>(random.below(256));
    return out;
}

std::uint64_t checksum(const Image& image) {
    std::uint64_t sum = 0;
    for (const unsigned char byte : image.pixels.view()) sum = split_mix(sum ^ byte);
    return sum;
}

}  // namespace

TEST_CASE("parts have the areas and aspects that were asked for, everywhere in the picture") {
    const Augment settings;
    RandomStream random(1);
    double least_area = 1, most_area = 0, least_ratio = 9, most_ratio = 0, mean_log = 0, mean_area = 0;
    Index left_edge = 0, right_edge = 0;
    constexpr Index times = 4000, height = 400, width = 400;
    for (Index i = 0; i < times; ++i) {
        const Crop part = random_crop(height, width, settings, random);
        REQUIRE(part.top >= 0);
        REQUIRE(part.left >= 0);
        REQUIRE(part.top + part.height <= height);
        REQUIRE(part.left + part.width <= width);
        const double area = static_cast<double>(part.height * part.width) / (height * width);
        const double ratio = static_cast<double>(part.width) / static_cast<double>(part.height);
        least_area = std::min(least_area, area), most_area = std::max(most_area, area);
        least_ratio = std::min(least_ratio, ratio), most_ratio = std::max(most_ratio, ratio);
        mean_log += std::log(ratio) / times;
        mean_area += area / times;
        left_edge += part.left == 0;
        right_edge += part.left + part.width == width;
    }
    CHECK(least_area == doctest::Approx(0.5).epsilon(0.01));
    CHECK(most_area > 0.95);
    CHECK(most_area <= 1);
    CHECK(least_ratio == doctest::Approx(0.75).epsilon(0.01));
    CHECK(most_ratio == doctest::Approx(4.0 / 3).epsilon(0.01));
    CHECK(std::abs(mean_log) < 0.01);  // as often wide as tall: 4 standard errors of 0.0024
    CHECK(mean_area < 0.75);           // large parts fit less often
    CHECK(left_edge > 20);
    CHECK(right_edge > 20);
}

TEST_CASE("a picture in which no such part fits gives its middle, as in torchvision") {
    const Augment settings;
    RandomStream random(2);
    CHECK(random_crop(100, 1000, settings, random) == Crop{0, 433, 100, 133});
    CHECK(random_crop(1000, 100, settings, random) == Crop{433, 0, 133, 100});
    CHECK(random_crop(1, 1, settings, random) == Crop{0, 0, 1, 1});
    CHECK(random_crop(90, 100, {.min_scale = 1, .min_ratio = 3, .max_ratio = 4}, random) == Crop{28, 0, 33, 100});
}

TEST_CASE("an aspect by square roots is the aspect by logarithms") {
    for (const double u : {0.0, 0.1, 0.5, 0.75, 0.999})
        CHECK(detail::geometric(0.75, 4.0 / 3, u) ==
              doctest::Approx(std::exp(std::log(0.75) + u * std::log(16.0 / 9))).epsilon(1e-14));
}

TEST_CASE("seed, epoch and item decide the picture; each of them changes it") {
    const Image from = noise(60, 80);
    const Augment settings{.size = 32, .rand_augment = {.operations = 2}};
    const auto sum = [&](std::uint64_t seed, Index epoch, Index item) {
        const Image out = augment(from, settings, seed, epoch, item);
        CHECK(out.height() == 32);
        CHECK(out.width() == 32);
        return checksum(out);
    };
    CHECK(sum(1, 2, 3) == sum(1, 2, 3));
    CHECK(std::set{sum(1, 2, 3), sum(2, 2, 3), sum(1, 3, 3), sum(1, 2, 4), sum(1, 3, 2)}.size() == 5);
    // On every machine: the bytes of a few pictures together.
    std::uint64_t all = 0;
    for (Index item = 0; item < 40; ++item) all = split_mix(all ^ sum(42, 0, item));
    CHECK(all == 17281788131830599453u);
}

TEST_CASE("half of the pictures are flipped") {
    Image from(1, 2);
    from.row(0)[0] = 200;
    int flipped = 0;
    for (Index item = 0; item < 400; ++item) {
        const Augment whole{.size = 2, .min_scale = 1, .min_ratio = 2, .max_ratio = 2};
        flipped += augment(from, whole, 5, 0, item).row(0)[3] > 100;
    }
    CHECK(flipped > 160);
    CHECK(flipped < 240);
    CHECK(checksum(flip_horizontally(flip_horizontally(noise(5, 7)))) == checksum(noise(5, 7)));
}

TEST_CASE("each operation of RandAugment changes a picture, but those that do nothing at level 5") {
    const Image from = noise(40, 40);
    for (int i = 0; i < 10; ++i) {
        const auto operation = static_cast<AugmentOperation>(i);
        const bool nothing = operation == AugmentOperation::identity || operation == AugmentOperation::brightness ||
                             operation == AugmentOperation::sharpness || operation == AugmentOperation::autocontrast;
        CAPTURE(i);
        CHECK((checksum(apply(operation, from, 5, 1)) == checksum(from)) ==
              nothing);  // noise has all contrast there is
        if (i >= static_cast<int>(AugmentOperation::shear_x))
            CHECK(checksum(apply(operation, from, 5, 1)) != checksum(apply(operation, from, 5, -1)));
    }
    CHECK(checksum(apply(AugmentOperation::brightness, from, 9, 1)) != checksum(from));
    CHECK(checksum(apply(AugmentOperation::sharpness, from, 9, 1)) != checksum(from));
}

TEST_CASE("settings out of range are refused in one sentence") {
    const auto message = [](const Augment& settings) {
        std::string out;
        try {
            settings.expect_valid();
        } catch (const Error& error) {
            out = error.what();
        }
        return out;
    };
    CHECK(message({}) == "");
    CHECK(message({.size = 0}) == "[option.value] augment.size: expected 1 to 4096, found 0");
    CHECK(message({.min_scale = 0}) ==
          "[option.value] augment.min_scale: expected above 0, at most max_scale, found 0");
    CHECK(message({.max_scale = 1.5}) == "[option.value] augment.max_scale: expected above 0, at most 1, found 1.5");
    CHECK(message({.min_ratio = 2}) ==
          "[option.value] augment.min_ratio: expected above 0, at most max_ratio, found 2");
    CHECK(message({.max_ratio = std::nan("")}).starts_with("[option.value] augment.max_ratio: expected above 0"));
    CHECK(message({.flip = -1}) == "[option.value] augment.flip: expected 0 to 1, found -1");
    CHECK(message({.rand_augment = {.level = 11}}) ==
          "[option.value] augment.rand_augment.level: expected 0 to 10, found 11");
    CHECK_THROWS_WITH_AS(augment(Image(), {}, 0, 0, 0), "[image.size] cannot augment an empty picture", Error);
}

}  // namespace image_augment
