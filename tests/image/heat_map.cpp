#include <tessera/image/heat_map.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace image_heat_map {
using namespace tessera;

namespace {
int brightness(const Image& image, Index y, Index x) {
    return std::accumulate(image.row(y) + 3 * x, image.row(y) + 3 * x + 3, 0);
}
}  // namespace

TEST_CASE("a patch of weight stands out, and what has none is darker than the picture") {
    Image picture(20, 40);
    std::fill_n(picture.pixels.data(), picture.pixels.size(), static_cast<unsigned char>(100));
    Tensor<float, dyn, dyn> weights({2, 4});
    std::fill_n(weights.data(), weights.size(), 0.0f);
    weights(1, 2) = 3;
    const Image map = heat_map(picture, weights.view(), 64);
    CHECK(map.height() == 64);
    CHECK(map.width() == 128);
    CHECK(brightness(map, 48, 80) > 400);  // the middle of that patch
    CHECK(map.row(48)[3 * 80] > 200);      // which is warm
    CHECK(map.row(48)[3 * 80 + 2] < 130);
    CHECK(brightness(map, 16, 16) == 3 * 35);
    CHECK(brightness(map, 63, 0) == 3 * 35);
    CHECK(brightness(map, 48, 66) < brightness(map, 48, 76));  // fading between the middles
}

TEST_CASE("a bright picture stays bright where it is looked at") {
    Image picture(8, 8);
    std::fill_n(picture.pixels.data(), picture.pixels.size(), static_cast<unsigned char>(230));
    const float one[] = {1};
    const Image map = heat_map(picture, {one, {1, 1}}, 8);
    CHECK(map.row(4)[3 * 4] == 255);
    CHECK(brightness(map, 4, 4) > 400);
}

TEST_CASE("without any weight the picture is only darker; nothing to draw is an error") {
    Image picture(4, 4);
    std::fill_n(picture.pixels.data(), picture.pixels.size(), static_cast<unsigned char>(200));
    const float none[4] = {};
    const Image map = heat_map(picture, {none, {2, 2}}, 8);
    CHECK(brightness(map, 4, 4) == 3 * 70);
    CHECK_THROWS_AS(heat_map(picture, {none, {0, 2}}, 8), Error);
    CHECK_THROWS_AS(heat_map(Image(), {none, {2, 2}}, 8), Error);
}

TEST_CASE("text is drawn, and cut at the edges of the picture") {
    Image image(16, 30);
    const auto lit = [&] { return std::count(image.pixels.data(), image.pixels.data() + image.pixels.size(), 255); };
    write_text(image, 2, 2, "");
    CHECK(lit() == 0);
    write_text(image, 2, 2, "l");
    const auto one = lit();
    CHECK(one > 0);
    CHECK(one % 3 == 0);
    write_text(image, 2, 2, "lé\n and more than fits");
    CHECK(lit() > one);
    write_text(image, 12, 28, "W");
    write_text(image, 100, 100, "W");
}

}  // namespace image_heat_map
