#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/svg.hpp>

namespace study_svg {
using namespace tessera;

namespace {

/// The colour of the pixel in the cell of a score, in a picture where each score is a cell.
Figure::Colour at(const Painting& picture, const Figure& figure, Index query, Index key) {
    const Figure::Box& first = figure.boxes.front();
    const Index x = first.x + key * first.height + first.height / 3,
                y = first.y + query * first.height + first.height / 3;
    const auto place = static_cast<std::size_t>((y * picture.width + x) * 3);
    return {picture.rgb[place], picture.rgb[place + 1], picture.rgb[place + 2]};
}
bool says(const Figure& figure, std::string_view words) {
    return std::any_of(figure.texts.begin(), figure.texts.end(),
                       [&](const Figure::Text& one) { return one.words == words; });
}

}  // namespace

TEST_CASE("scores have the colour of their tile") {
    const Figure one = figure(Causal{}, 64, 64, "causal");
    const Painting picture = paint(one);
    REQUIRE(picture.rgb.size() == static_cast<std::size_t>(3 * picture.width * picture.height));
    CHECK(at(picture, one, 40, 3) == drawing::whole);
    CHECK(at(picture, one, 3, 40) == drawing::skipped);
    CHECK(at(picture, one, 3, 2) == drawing::seen);
    CHECK(at(picture, one, 2, 3) == drawing::unseen);
    CHECK(at(picture, one, 63, 63) == drawing::seen);
    CHECK(says(one, "causal"));
    CHECK(says(one, "4 tiles of 32 x 32:"));
    CHECK(says(one, "up to 1.33 x as fast"));
    CHECK(says(one, "48"));  // the last mark on each axis
}

TEST_CASE("cells of many scores are the stronger the more of them is visible") {
    CHECK(drawing::colour(Cover::partial, 0) == drawing::unseen);
    CHECK(drawing::colour(Cover::partial, 1) == drawing::seen);
    const Figure large = figure(Causal{}, 1024, 1024, "", {.side = 16});
    const Painting picture = paint(large);
    CHECK(at(picture, large, 0, 0) == drawing::colour(Cover::partial, 65.0 / 128));
    CHECK(at(picture, large, 1, 0) == drawing::whole);
    CHECK(at(picture, large, 0, 1) == drawing::skipped);
}

TEST_CASE("a panel for each head, and nothing outside of the picture") {
    for (const Index heads : {1, 3, 6})
        for (const auto& [queries, keys] : {std::pair<Index, Index>{1, 1}, {1, 300}, {300, 1}, {70, 33}}) {
            const Figure one =
                figure(FirstHeads{2}, queries, keys, std::string(200, 'w') + " | full", {.heads = heads});
            CHECK(says(one, "keys, head 1") == (heads > 1));
            CHECK_FALSE(says(one, "keys, head " + std::to_string(heads)));
            for (const Figure::Box& box : one.boxes) {
                CHECK(box.x >= 0);
                CHECK(box.y >= 0);
                CHECK(box.x + box.width <= one.width);
                CHECK(box.y + box.height <= one.height);
            }
            for (const Figure::Text& text : one.texts) {
                CHECK(text.x >= 0);
                CHECK(text.y >= 0);
                CHECK(text.x + static_cast<Index>(text.words.size()) * drawing::glyph_advance * text.dot <= one.width);
                CHECK(text.y + drawing::glyph_height * text.dot <= one.height);
            }
        }
}

TEST_CASE("letters are dots") {
    Figure one{12, 18, "", {}, {{0, 0, 2, "L"}}};
    const Painting picture = paint(one);
    std::string dots;
    for (Index y = 0; y < 18; y += 2) {
        for (Index x = 0; x < 12; x += 2)
            dots += picture.rgb[static_cast<std::size_t>((y * 12 + x) * 3)] == drawing::ink[0] ? '#' : '.';
        dots += '|';
    }
    CHECK(dots == ".##...|..#...|..#...|..#...|..#...|..#...|.###..|......|......|");
    const auto dots_of = [](char c) {
        std::string found;
        for (Index row = 0; row < drawing::glyph_height; ++row)
            for (Index column = 0; column < drawing::glyph_width; ++column)
                found += drawing::has_dot(c, row, column) ? '#' : '.';
        return found;
    };
    const std::string box = dots_of('\x01');
    CHECK(box.starts_with("######...#"));
    CHECK(dots_of(' ') == std::string(45, '.'));
    CHECK(dots_of('Q') == dots_of('q'));
    for (const char c : drawing::glyphs.substr(1)) CHECK((dots_of(c) != box && dots_of(c) != dots_of(' ')));
}

TEST_CASE("SVG has the same boxes and texts") {
    const Figure one{30, 20, "a & b: less < more", {{1, 2, 3, 4, {5, 6, 7}}}, {{8, 9, 2, "a & ~b"}}};
    CHECK(svg(one) ==
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 30 20\" shape-rendering=\"crispEdges\">\n"
          "<title>a &amp; b: less &lt; more</title>\n"
          "<rect width=\"30\" height=\"20\" fill=\"rgb(255,255,255)\"/>\n"
          "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" fill=\"rgb(5,6,7)\"/>\n"
          "<text x=\"8\" y=\"23\" font-family=\"monospace\" font-size=\"20\" textLength=\"72\" fill=\"rgb(45,52,62)\" "
          "xml:space=\"preserve\">a &amp; ~b</text>\n"
          "</svg>\n");
}

}  // namespace study_svg
