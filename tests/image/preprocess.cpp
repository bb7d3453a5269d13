// Pictures as numbers, against the image processors of transformers, and the way of patches.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/image/read_preprocess.hpp>
#include <vector>

#include "support/as_processors.hpp"
#include "support/golden_numbers.hpp"
#include "support/picture_bytes.hpp"
#include "support/read_json.hpp"

namespace image_preprocess {
using namespace tessera;

namespace {

double worst_gap(const Tensor<float, 3, dyn, dyn>& got, std::span<const float> want) {
    if (got.size() != static_cast<Index>(want.size())) return 1e9;
    double worst = 0;
    for (std::size_t i = 0; i < want.size(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(got.data()[i]) - static_cast<double>(want[i])));
    return worst;
}

}  // namespace

TEST_CASE("the five pictures of each model, from their files: PNG and JPEG alike") {
    for (const std::string model : {"blip2_opt", "clip_vision"}) {
        const Json expected = test::read_json(test::golden(model + "/expected.json"));
        const Safetensors tensors(test::golden_expected(model));
        const Preprocess settings = read_preprocess(test::golden(model + "/preprocessor_config.json"));
        const test::GoldenNumbers want(tensors, "pixel_values");
        for (std::size_t i = 0; i < expected["images"].size(); ++i) {
            const auto file = expected["images"][i].get<std::string>();
            CAPTURE(model);
            CAPTURE(file);
            const Image image = read_image(test::golden("images/" + file), test::as_processors);
            CHECK(worst_gap(preprocess(image, settings), want.part(i)) <= 1e-6);
        }
    }
}

TEST_CASE("bytes become numbers to the last bit") {
    const Safetensors expected(test::golden("resize/expected.safetensors"));
    int compared = 0;
    for (const StoredTensor& want : expected.tensors()) {
        if (!want.name.ends_with(".pixel_values")) continue;
        const auto numbers = test::golden_numbers(expected, want.name);
        CAPTURE(want.name);
        const std::string label = want.name.substr(0, want.name.rfind('.'));
        const Image bytes = test::picture_of(expected.tensor(label + ".bytes"));
        CHECK(worst_gap(preprocess(bytes, {.do_resize = false}), numbers) == 0);
        const Image input = test::picture_of(expected.tensor(label.substr(0, label.find('.')) + ".input"));
        const Preprocess settings{.height = bytes.height(), .width = bytes.width()};
        CHECK(worst_gap(preprocess(input, settings), numbers) == 0);
        ++compared;
    }
    CHECK(compared == 5);
}

TEST_CASE("each step can be left out") {
    Image image(1, 2);
    image.pixels(0, 0, 0) = 255;
    image.pixels(0, 1, 2) = 51;
    const Preprocess raw{.do_resize = false, .do_rescale = false, .do_normalize = false};
    CHECK(preprocess(image, raw)(0, 0, 0) == 255.0f);
    CHECK(preprocess(image, raw)(2, 0, 1) == 51.0f);
    CHECK(preprocess(image, {.do_resize = false, .do_normalize = false})(2, 0, 1) == 0.2f);
    const Preprocess centred{.do_resize = false, .do_rescale = false, .image_mean = {5, 5, 1}, .image_std = {1, 1, 2}};
    CHECK(preprocess(image, centred)(2, 0, 1) == 25.0f);
    CHECK(preprocess(image, {.height = 5, .width = 7}).extents() == std::array<Index, 3>{3, 5, 7});
}

TEST_CASE("a shortest edge keeps the aspect, the long side rounded down") {
    Preprocess settings{.shortest_edge = 20};
    const auto size = [&](Index height, Index width) {
        const Image out = resize_and_crop(Image(height, width), settings);
        return std::array<Index, 2>{out.height(), out.width()};
    };
    CHECK(size(30, 61) == std::array<Index, 2>{20, 40});
    CHECK(size(61, 30) == std::array<Index, 2>{40, 20});
    CHECK(size(7, 7) == std::array<Index, 2>{20, 20});
    settings.do_center_crop = true;
    settings.crop_height = settings.crop_width = 18;
    CHECK(size(61, 30) == std::array<Index, 2>{18, 18});
    settings.shortest_edge = 4000;
    CHECK_THROWS_WITH_AS(
        resize_and_crop(Image(1, 1000), settings),
        "[image.size] a picture of 1000×1 pixels would become 4000000×4000 with a shortest edge of 4000", Error);
    CHECK_THROWS_AS(preprocess(Image(), settings), Error);
}

TEST_CASE("a crop is the middle, with black around where there is nothing") {
    Image from(3, 4);
    for (Index y = 0; y < 3; ++y)
        for (Index x = 0; x < 4; ++x) from.pixels(y, x, 0) = static_cast<unsigned char>(1 + 4 * y + x);
    const auto reds = [&](Index height, Index width) {
        const Image out = center_crop(from, height, width);
        std::vector<int> all;
        for (Index y = 0; y < height; ++y)
            for (Index x = 0; x < width; ++x) all.push_back(out.pixels(y, x, 0));
        return all;
    };
    CHECK(reds(1, 2) == std::vector<int>{6, 7});
    CHECK(reds(2, 1) == std::vector<int>{2, 6});
    CHECK(reds(1, 6) == std::vector<int>{0, 5, 6, 7, 8, 0});
    CHECK(reds(5, 1) == std::vector<int>{0, 2, 6, 10, 0});
    CHECK(reds(4, 1) == std::vector<int>{0, 2, 6, 10});  // an odd row goes on top
}

TEST_CASE("patches lie as the weight of a convolution does; what does not fill one is left out") {
    constexpr Index patch = 3, height = 7, width = 11;
    Tensor<float, 3, dyn, dyn> pixels({3, height, width});
    for (Index i = 0; i < pixels.size(); ++i) pixels.data()[i] = static_cast<float>(i);
    Tensor<float, dyn, 3 * patch * patch> out({2 * 3, 3 * patch * patch});
    patchify(out.view(), pixels.view(), patch);
    for (Index row = 0; row < 6; ++row)
        for (Index c = 0; c < 3; ++c)
            for (Index y = 0; y < patch; ++y)
                for (Index x = 0; x < patch; ++x)
                    CHECK(out(row, (c * patch + y) * patch + x) == pixels(c, row / 3 * patch + y, row % 3 * patch + x));
}

}  // namespace image_preprocess
