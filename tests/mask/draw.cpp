#include <doctest/doctest.h>

#include <tessera/mask/compose.hpp>
#include <tessera/mask/draw.hpp>
#include <tessera/mask/named.hpp>

using namespace tessera;

TEST_CASE("small masks are drawn score by score") {
    CHECK(draw(masks::prefix_lm(2), 4, 5) == "##...\n##...\n###..\n####.\n");
    CHECK(draw(Causal{}, 0, 0) == "");
}

TEST_CASE("large masks are drawn by density") {
    CHECK(draw(Causal{}, 64, 64, {.side = 4}) == "+...\n#+..\n##+.\n###+\n");
    CHECK(draw(Strided{.step = 4} & ~QueriesBelow{16}, 64, 64, {.side = 4}) == "....\n----\n----\n----\n");
    CHECK(draw(~Strided{.step = 4}, 64, 64, {.side = 4}) == "****\n****\n****\n****\n");
    CHECK(draw(Causal{}, 65, 65, {.side = 4}) == "+...\n#+..\n##+.\n###+\n");  // 17 scores a cell
}

TEST_CASE("the sentence has the figures of the kernel's tiles") {
    CHECK(describe(Causal{}, 256, 256) ==
          "256 queries × 256 keys, 50.2 % visible; of 64 tiles of 32 × 32, 28 are skipped, 8 masked, 28 whole: up to "
          "1.78× "
          "as fast as without it");
    CHECK(describe(~Full{}, 2, 2) ==
          "2 queries × 2 keys, 0.0 % visible; of 1 tiles of 32 × 32, 1 are skipped, 0 masked, 0 whole");
}

TEST_CASE("pixels") {
    const Painting picture = paint(Causal{}, 2, 2, {}, 2);
    CHECK(picture.width == 4);
    CHECK(picture.height == 4);
    REQUIRE(picture.rgb.size() == 48);
    CHECK(picture.rgb[0] == 31);        // row 0, column 0: visible
    CHECK(picture.rgb[2 * 3] == 244);   // row 0, column 2: not
    CHECK(picture.rgb[42 + 2] == 140);  // row 3, column 2
    const Painting small = paint(Causal{}, 64, 64, {.side = 2});
    CHECK(small.width == 2);
    CHECK(small.rgb[0] == 229);  // half visible, 528 of 1024: between 253 and 206
}

TEST_CASE("SVG") {
    CHECK(svg(Causal{}, 2, 2) ==
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 2\" shape-rendering=\"crispEdges\">\n<title>" +
              describe(Causal{}, 2, 2) +
              "</title>\n"
              "<rect x=\"0\" y=\"0\" width=\"1\" height=\"1\" fill=\"rgb(31,78,140)\"/>\n"
              "<rect x=\"1\" y=\"0\" width=\"1\" height=\"1\" fill=\"rgb(244,244,240)\"/>\n"
              "<rect x=\"0\" y=\"1\" width=\"2\" height=\"1\" fill=\"rgb(31,78,140)\"/>\n"
              "</svg>\n");
}
