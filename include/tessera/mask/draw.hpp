// Masks to look at: as text, as SVG, as pixels.
#pragma once
#include <array>
#include <cstdio>
#include <string>
#include <tessera/mask/density.hpp>

namespace tessera {

/// What of a mask is drawn, and how finely.
struct Drawing {
    Index head = 0;
    Index side = 64;  // at most so many cells in each direction; each cell stands for a square of scores
    Index tile = 32;  // the tiles of the kernel, by which cost is told
};

namespace drawing {

/// The density of the squares that fit `how`.
template <Mask M>
Density cells(const M& mask, Index queries, Index keys, const Drawing& how) {
    const Index longer = std::max({queries, keys, Index{1}});
    const Index scores = (longer + how.side - 1) / how.side;
    return {mask, queries, keys, how.head, scores, scores};
}

inline std::string rounded(double x, const char* format = "%.1f") {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), format, x);
    return text.data();
}

}  // namespace drawing

/// What the mask shows and what it should cost, in one sentence.
template <Mask M>
std::string describe(const M& mask, Index queries, Index keys, const Drawing& how = {}) {
    const Density tiles(mask, queries, keys, how.head, how.tile, how.tile);
    const std::string side = std::to_string(how.tile);
    std::string text = std::to_string(queries) + " queries × " + std::to_string(keys) + " keys, " +
                       drawing::rounded(100 * tiles.share()) + " % visible; of " + std::to_string(tiles.tiles()) +
                       " tiles of " + side + " × " + side + ", " + std::to_string(tiles.count(Cover::none)) +
                       " are skipped, " + std::to_string(tiles.count(Cover::some)) + " masked, " +
                       std::to_string(tiles.count(Cover::all)) + " whole";
    if (tiles.visible() > 0)
        text += ": up to " + drawing::rounded(tiles.speed_up(), "%.2f") + "× as fast as without it";
    return text;
}

/// The mask as text, a line for each row of cells: `#` everything visible, `.` nothing, between them `-`, `+` and `*` for
/// up to a third, up to two thirds, and more. Where a cell is a score, there are only `#` and `.`.
template <Mask M>
std::string draw(const M& mask, Index queries, Index keys, const Drawing& how = {}) {
    const Density cells = drawing::cells(mask, queries, keys, how);
    std::string text;
    for (Index y = 0; y < cells.height(); ++y) {
        for (Index x = 0; x < cells.width(); ++x) {
            const Cover cover = cells.cover(y, x);
            const double share = cells.share(y, x);
            text += cover == Cover::all    ? '#'
                    : cover == Cover::none ? '.'
                    : share * 3 <= 1       ? '-'
                    : share * 3 <= 2       ? '+'
                                           : '*';
        }
        text += '\n';
    }
    return text;
}

/// Pixels, three bytes each: red, green, blue.
struct Painting {
    Index width = 0, height = 0;
    std::vector<std::uint8_t> rgb;
};

namespace drawing {

using Colour = std::array<int, 3>;

/// Blue where everything is visible, nearly white where nothing is, ochre, the darker the more, between.
inline Colour colour(Cover cover, double share) {
    if (cover == Cover::none) return {244, 244, 240};
    if (cover == Cover::all) return {31, 78, 140};
    const Colour light{253, 230, 168}, dark{206, 122, 20};
    Colour mixed{};
    for (std::size_t i = 0; i < 3; ++i) mixed[i] = static_cast<int>((1 - share) * light[i] + share * dark[i] + 0.5);
    return mixed;
}

}  // namespace drawing

/// The mask as pixels, `zoom` × `zoom` for each cell.
template <Mask M>
Painting paint(const M& mask, Index queries, Index keys, const Drawing& how = {.side = 512}, Index zoom = 1) {
    const Density cells = drawing::cells(mask, queries, keys, how);
    Painting picture{cells.width() * zoom, cells.height() * zoom, {}};
    picture.rgb.reserve(static_cast<std::size_t>(picture.width * picture.height * 3));
    for (Index y = 0; y < picture.height; ++y)
        for (Index x = 0; x < picture.width; ++x)
            for (const int part : drawing::colour(cells.cover(y / zoom, x / zoom), cells.share(y / zoom, x / zoom)))
                picture.rgb.push_back(static_cast<std::uint8_t>(part));
    return picture;
}

/// The mask as the text of an SVG file, neighbouring cells of a colour as one rectangle.
template <Mask M>
std::string svg(const M& mask, Index queries, Index keys, const Drawing& how = {.side = 128}) {
    const Density cells = drawing::cells(mask, queries, keys, how);
    const auto number = [](Index x) { return std::to_string(x); };
    const auto fill = [&](Index y, Index x) {
        const drawing::Colour c = drawing::colour(cells.cover(y, x), cells.share(y, x));
        return "rgb(" + std::to_string(c[0]) + ',' + std::to_string(c[1]) + ',' + std::to_string(c[2]) + ')';
    };
    std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(cells.width()) + ' ' +
                       number(cells.height()) + "\" shape-rendering=\"crispEdges\">\n<title>" +
                       describe(mask, queries, keys, how) + "</title>\n";
    for (Index y = 0; y < cells.height(); ++y)
        for (Index x = 0, end = 0; x < cells.width(); x = end) {
            const std::string colour = fill(y, x);
            for (end = x + 1; end < cells.width() && fill(y, end) == colour;) ++end;
            text += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(end - x) +
                    "\" height=\"1\" fill=\"" + colour + "\"/>\n";
        }
    return text + "</svg>\n";
}

}  // namespace tessera
