// Resized bytes against Pillow's.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/image/resize.hpp>

#include "support/golden.hpp"
#include "support/picture_bytes.hpp"
#include "support/read_json.hpp"

namespace image_resize {
using namespace tessera;

TEST_CASE("every picture of the reference data is resized to the bit") {
    const Safetensors expected(test::golden("resize/expected.safetensors"));
    const Json index = test::read_json(test::golden("resize/index.json"));
    int compared = 0;
    for (const Json& entry : index["cases"]) {
        const auto label = entry["tensor"].get<std::string>();
        CAPTURE(label);
        const Image from = test::picture_of(expected.tensor(label.substr(0, label.find('.')) + ".input"));
        REQUIRE(from.width() == entry["from"][0].get<Index>());
        const Image out = resize(from, entry["to"][1], entry["to"][0]);
        CHECK(test::worst_difference(out, expected.tensor(label + ".bytes")) == 0);
        ++compared;
    }
    CHECK(compared == 19);
}

TEST_CASE("either order of the passes is Pillow's, and the rule between them is where Pillow 13 has it") {
    // Noise of 0 and 255: here the two orders differ by up to 20 levels.
    const auto noise = [](Index height, Index width) {
        Image out(height, width);
        std::uint32_t state = 1;
        for (unsigned char& byte : out.pixels.view()) {
            state = state * 1664525u + 1013904223u;
            byte = state >> 31 ? 255 : 0;
        }
        return out;
    };
    const auto same = [](const Image& a, const Image& b) {
        return a.pixels.extents() == b.pixels.extents() &&
               std::memcmp(a.pixels.data(), b.pixels.data(), static_cast<std::size_t>(a.pixels.size())) == 0;
    };
    struct Case {
        Index height, width, to_height, to_width;
        bool vertical_first;
    };
    for (const Case& c : {
             Case{72, 53, 30, 30, false},  // shrinks by 42 and 23
             Case{74, 50, 26, 26, false},  // by 48 and 24: not more than twice
             Case{75, 50, 26, 26, true},   // by 49 and 24
             Case{49, 37, 31, 31, true},   // by 18 and 6
             Case{40, 20, 39, 30, true},   // the width grows
             Case{35, 31, 36, 59, false},  // both grow
         }) {
        const Image from = noise(c.height, c.width);
        const Image vertical = detail::resize_horizontally(detail::resize_vertically(from, c.to_height), c.to_width);
        const Image horizontal = detail::resize_vertically(detail::resize_horizontally(from, c.to_width), c.to_height);
        REQUIRE_FALSE(same(vertical, horizontal));
        CHECK(same(resize(from, c.to_height, c.to_width), c.vertical_first ? vertical : horizontal));
        CHECK(same(resize(from, c.to_height, c.to_width, PassOrder::pillow_12), horizontal));
    }
}

TEST_CASE("weights sum to one, and a picture of one colour keeps it") {
    for (const auto& [from, to] : {std::array<Index, 2>{1, 224}, {3, 2}, {1000, 7}, {641, 640}, {7, 1000}}) {
        const detail::BicubicWeights weights(from, to);
        for (Index at = 0; at < to; ++at) {
            std::int64_t sum = 0;
            for (Index i = 0; i < weights[at].count; ++i) sum += weights[at].weights[i];
            CHECK(std::abs(sum - (1 << detail::BicubicWeights::precision)) <= weights[at].count);
            CHECK(weights[at].first >= 0);
            CHECK(weights[at].first + weights[at].count <= from);
        }
    }
    Image gray(31, 97);
    std::memset(gray.pixels.data(), 201, static_cast<std::size_t>(gray.pixels.size()));
    const Image still_gray = resize(gray, 224, 60);
    for (const unsigned char byte : still_gray.pixels.view()) REQUIRE(byte == 201);
}

TEST_CASE("sizes that cannot be resized from or to are refused in one sentence") {
    CHECK_THROWS_WITH_AS(resize(Image(2, 2), 0, 5), "[image.size] cannot resize to 0×5: expected at least 1×1", Error);
    CHECK_THROWS_WITH_AS(resize(Image(), 5, 5), "[image.size] cannot resize an empty picture (0×0)", Error);
}

}  // namespace image_resize
