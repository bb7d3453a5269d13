// Masks to look at, as pictures with a title, axes and a legend: SVG, or pixels.
#pragma once
#include <cstdint>
#include <string_view>
#include <tessera/study/draw.hpp>

namespace tessera::inline TESSERA_ISA {

/// A picture before it is decided what it is made of: boxes, and lines of text upon them; from the upper left corner, in
/// pixels.
struct Figure {
    using Colour = std::array<std::uint8_t, 3>;
    struct Box {
        Index x, y, width, height;
        Colour colour;
    };
    struct Text {
        Index x, y;  // of the upper left corner
        Index dot;   // the side of a dot of its letters
        std::string words;
    };

    Index width = 0, height = 0;
    std::string title;  // for those who cannot see it
    std::vector<Box> boxes{};
    std::vector<Text> texts{};
};

/// Pixels, three bytes each: red, green, blue.
struct Painting {
    Index width = 0, height = 0;
    std::vector<std::uint8_t> rgb;
};

namespace drawing {

using Colour = Figure::Colour;
inline constexpr Colour paper{255, 255, 255}, ink{45, 52, 62}, line{196, 202, 210};
inline constexpr Colour whole{31, 78, 140}, seen{226, 128, 32}, unseen{252, 234, 200}, skipped{242, 244, 246};

/// Blue in tiles that are whole, grey in those that are skipped; in masked ones from pale to strong by how much of the
/// cell is visible.
inline Colour colour(Cover tile, double share) {
    if (tile == Cover::empty) return skipped;
    if (tile == Cover::full) return whole;
    Colour mixed{};
    for (std::size_t i = 0; i < 3; ++i)
        mixed[i] = static_cast<std::uint8_t>((1 - share) * unseen[i] + share * seen[i] + 0.5);
    return mixed;
}

/// Letters made of dots, so that pictures can be labelled without a library of fonts: the dots of one, and of the place it
/// takes with the gaps around it; the last two rows are below the line.
inline constexpr Index glyph_width = 5, glyph_height = 9, glyph_advance = 6;
inline constexpr std::string_view glyphs = " abcdefghijklmnopqrstuvwxyz0123456789.,:%()|&~-+_#'\"";
// clang-format off
inline constexpr std::string_view sheet[] = {  // 18 glyphs side by side; a box at the end, for what has no glyph
    "..... ..... #.... ..... ....# ..... ..##. ..... #.... ..#.. ...#. #.... .##.. ..... ..... ..... ..... .....",
    "..... ..... #.... ..... ....# ..... .#... ..... #.... ..... ..... #.... ..#.. ..... ..... ..... ..... .....",
    "..... .###. ####. .#### .#### .###. ####. .#### ####. .##.. ..##. #..#. ..#.. ####. ####. .###. ####. .####",
    "..... ....# #...# #.... #...# #...# .#... #...# #...# ..#.. ...#. #.#.. ..#.. #.#.# #...# #...# #...# #...#",
    "..... .#### #...# #.... #...# ##### .#... #...# #...# ..#.. ...#. ##... ..#.. #.#.# #...# #...# #...# #...#",
    "..... #...# #...# #.... #...# #.... .#... #...# #...# ..#.. ...#. #.#.. ..#.. #.#.# #...# #...# #...# #...#",
    "..... .#### ####. .#### .#### .#### .#... .#### #...# .###. ...#. #..#. .###. #.#.# #...# .###. ####. .####",
    "..... ..... ..... ..... ..... ..... ..... ....# ..... ..... ...#. ..... ..... ..... ..... ..... #.... ....#",
    "..... ..... ..... ..... ..... ..... ..... .###. ..... ..... .##.. ..... ..... ..... ..... ..... #.... ....#",
    "..... ..... .#... ..... ..... ..... ..... ..... ..... .###. ..#.. .###. ####. ...#. ##### ..##. ##### .###.",
    "..... ..... .#... ..... ..... ..... ..... ..... ..... #...# .##.. #...# ....# ..##. #.... .#... ....# #...#",
    "#.##. .#### ####. #...# #...# #...# #...# #...# ##### #..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...#",
    "##..# #.... .#... #...# #...# #...# .#.#. #...# ...#. #.#.# ..#.. ...#. .###. #..#. ....# ####. ..#.. .###.",
    "#.... .###. .#... #...# #...# #.#.# ..#.. #...# ..#.. ##..# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...#",
    "#.... ....# .#... #...# .#.#. #.#.# .#.#. #...# .#... #...# ..#.. .#... ....# ...#. #...# #...# .#... #...#",
    "#.... ####. ..##. .#### ..#.. .#.#. #...# .#### ##### .###. .###. ##### ####. ...#. .###. .###. .#... .###.",
    "..... ..... ..... ..... ..... ..... ..... ....# ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    "..... ..... ..... ..... ..... ..... ..... .###. ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    ".###. ..... ..... ..... ##..# ...#. .#... ..#.. .##.. ..... ..... ..... ..... .#.#. ..#.. .#.#. #####",
    "#...# ..... ..... ..... ##..# ..#.. ..#.. ..#.. #..#. ..... ..... ..#.. ..... .#.#. ..#.. .#.#. #...#",
    "#...# ..... ..... .##.. ...#. .#... ...#. ..#.. #.#.. .#... ..... ..#.. ..... ##### .#... ..... #...#",
    ".#### ..... ..... .##.. ..#.. .#... ...#. ..#.. .#... #.#.# ##### ##### ..... .#.#. ..... ..... #...#",
    "....# ..... ..... ..... .#... .#... ...#. ..#.. #.#.# ...#. ..... ..#.. ..... ##### ..... ..... #...#",
    "...#. .##.. .##.. .##.. #..## ..#.. ..#.. ..#.. #..#. ..... ..... ..#.. ..... .#.#. ..... ..... #...#",
    ".##.. .##.. .##.. .##.. #..## ...#. .#... ..#.. .##.# ..... ..... ..... ..... .#.#. ..... ..... #####",
    "..... ..... ..#.. ..... ..... ..... ..... ..#.. ..... ..... ..... ..... ##### ..... ..... ..... .....",
    "..... ..... .#... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ....."};
// clang-format on

/// Whether there is a dot; capitals look like small letters.
constexpr bool has_dot(char c, Index row, Index column) {
    const std::size_t found = glyphs.find(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    const auto at = static_cast<Index>(std::min(found, glyphs.size()));
    return sheet[at / 18 * glyph_height + row][static_cast<std::size_t>(at % 18 * glyph_advance + column)] == '#';
}

/// A power of two that goes into `length` two to four times, if it is long enough.
inline Index tick(Index length) {
    Index step = 1;
    while (step * 4 < length) step *= 2;
    return step;
}

/// The head's mask from (left, top) on, with its axes left of it and above it; a cell is `scores` × `scores` scores and
/// `cell` × `cell` pixels.
template <Mask M>
void panel(Figure& figure, const M& mask, Index queries, Index keys, const Drawing& how, Index head, Index scores,
           Index left, Index top, Index cell) {
    const Density cells(mask, queries, keys, head, scores, scores),
        tiles(mask, queries, keys, head, how.tile_queries, how.tile_keys);
    const bool within = how.tile_queries % scores == 0 && how.tile_keys % scores == 0;  // each cell in one tile
    const auto fill = [&](Index y, Index x) {
        const Cover tile =
            within ? tiles.cover(y * scores / how.tile_queries, x * scores / how.tile_keys) : cells.cover(y, x);
        return colour(tile, cells.share(y, x));
    };
    for (Index y = 0; y < cells.height(); ++y)
        for (Index x = 0, end = 0; x < cells.width(); x = end) {  // neighbours of one colour are one box
            const Colour one = fill(y, x);
            for (end = x + 1; end < cells.width() && fill(y, end) == one;) ++end;
            figure.boxes.push_back({left + x * cell, top + y * cell, (end - x) * cell, cell, one});
        }
    const Index width = cells.width() * cell, height = cells.height() * cell;
    const auto pixel = [&](Index position) { return position * cell / scores; };
    if (pixel(std::min(how.tile_queries, how.tile_keys)) >= 8) {
        for (Index q = how.tile_queries; q < queries; q += how.tile_queries)
            figure.boxes.push_back({left, top + pixel(q), width, 1, line});
        for (Index k = how.tile_keys; k < keys; k += how.tile_keys)
            figure.boxes.push_back({left + pixel(k), top, 1, height, line});
    }
    for (Index q = 0; q < queries; q += tick(queries)) {
        const std::string number = std::to_string(q);
        const Index wide = static_cast<Index>(number.size()) * glyph_advance * 2;
        figure.boxes.push_back({left - 7, top + pixel(q), 7, 1, ink});
        figure.texts.push_back({left - 10 - wide, top + std::max(pixel(q) - 6, Index{0}), 2, number});
    }
    for (Index k = 0; k < keys; k += tick(keys)) {
        figure.boxes.push_back({left + pixel(k), top - 7, 1, 7, ink});
        figure.texts.push_back({left + pixel(k), top - 26, 2, std::to_string(k)});
    }
}

/// `words` in lines of at most `most` letters, broken at spaces.
inline std::vector<std::string> lines(std::string words, std::size_t most) {
    std::vector<std::string> found;
    while (words.size() > most) {
        const std::size_t space = words.rfind(' ', most);
        const std::size_t end = space == words.npos || space == 0 ? most : space;
        found.push_back(words.substr(0, end));
        words.erase(0, end + (end == space));
    }
    found.push_back(std::move(words));
    return found;
}

}  // namespace drawing

/// The mask as a figure: a panel for each head, cells of scores in the colour of the kernel's tile they are in, a legend,
/// and what the mask should cost. `title` is what stands above it, say the expression it was parsed from.
template <Mask M>
Figure figure(const M& mask, Index queries, Index keys, const std::string& title, Drawing how = {.side = 128}) {
    how.heads = drawn_heads(mask, queries, keys, how);
    using drawing::counted;
    const Index across = std::min(how.heads, Index{4}), down = (how.heads + across - 1) / across;
    how.side = std::max(how.side / (across > 1 ? 2 : 1), Index{1});
    // A power of two goes into tiles.
    const auto wanted = static_cast<std::uint64_t>(drawing::scores_of_cell(queries, keys, how.side));
    const auto scores = static_cast<Index>(std::bit_ceil(wanted));
    const Index columns = (keys + scores - 1) / scores, rows = (queries + scores - 1) / scores;
    const Index side = across == 1 ? 640 : across == 2 ? 420 : 300;
    const Index cell = std::max(side / std::max({columns, rows, Index{1}}), Index{1});
    const Index letters_left = std::max<Index>(static_cast<Index>(std::to_string(queries).size()), 7);  // "queries"
    const Index left = letters_left * drawing::glyph_advance * 2 + 14;
    const Index panel_width = left + columns * cell, panel_height = 76 + rows * cell;
    constexpr Index legend = 27 * drawing::glyph_advance * 2, margin = 24, leading = 24;

    const Summary sum = summary(mask, queries, keys, how);
    Figure figure{margin + across * panel_width + margin + legend + margin, 0, title + ": " + sentence(sum)};
    Index top = margin;
    const auto letters = static_cast<std::size_t>((figure.width - 2 * margin) / (drawing::glyph_advance * 3));
    for (const std::string& part : drawing::lines(title, letters)) {
        figure.texts.push_back({margin, top, 3, part});
        top += 36;
    }
    for (Index i = 0; i < how.heads; ++i) {
        const Index x = margin + i % across * panel_width, y = top + i / across * panel_height;
        const std::string head = how.heads > 1 ? ", head " + std::to_string(how.head + i) : "";
        figure.texts.push_back({x + left, y, 2, "keys" + head});
        if (i % across == 0) figure.texts.push_back({x, y + 22, 2, "queries"});
        drawing::panel(figure, mask, queries, keys, how, how.head + i, scores, x + left, y + 52, cell);
    }

    const Index right = margin + across * panel_width + margin;
    Index y = top + 52;
    const auto swatch = [&](drawing::Colour colour, const std::string& meaning) {
        figure.boxes.push_back({right, y, 16, 16, drawing::line});
        figure.boxes.push_back({right + 1, y + 1, 14, 14, colour});
        figure.texts.push_back({right + 26, y + 1, 2, meaning});
        y += leading;
    };
    const auto fact = [&](const std::string& words) {
        figure.texts.push_back({right, y, 2, words});
        y += leading;
    };
    swatch(drawing::whole, "visible, tile is whole");
    swatch(drawing::seen, "visible, tile is masked");
    swatch(drawing::unseen, "hidden, tile is masked");
    swatch(drawing::skipped, "hidden, tile is skipped");
    y += leading / 2;
    fact(counted(queries, "quer" + std::string(queries == 1 ? "y" : "ie")) + ", " + counted(keys, "key"));
    fact(drawing::rounded(100 * sum.visible) + " % of scores visible");
    fact(counted(sum.tiles(), "tile") + " of " + std::to_string(sum.tile_queries) + " x " +
         std::to_string(sum.tile_keys) + ":");
    fact("  " + std::to_string(sum.whole) + " whole");
    fact("  " + std::to_string(sum.masked) + " masked");
    fact("  " + std::to_string(sum.skipped) + " skipped");
    if (sum.live > 0) {
        y += leading / 2;
        fact("up to " + drawing::rounded(sum.speed_up(), "%.2f") + " x as fast");
        fact("as without a mask");
    }
    figure.height = std::max(top + down * panel_height, y) + margin;
    return figure;
}

/// The text of an SVG file.
inline std::string svg(const Figure& figure) {
    const auto n = [](Index number) { return std::to_string(number); };
    const auto colour = [&](const Figure::Colour& c) { return "rgb(" + n(c[0]) + ',' + n(c[1]) + ',' + n(c[2]) + ')'; };
    const auto escaped = [](const std::string& words) {
        std::string text;
        for (const char c : words)
            text += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
        return text;
    };
    std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + n(figure.width) + ' ' +
                       n(figure.height) + "\" shape-rendering=\"crispEdges\">\n<title>" + escaped(figure.title) +
                       "</title>\n<rect width=\"" + n(figure.width) + "\" height=\"" + n(figure.height) + "\" fill=\"" +
                       colour(drawing::paper) + "\"/>\n";
    for (const Figure::Box& box : figure.boxes)
        text += "<rect x=\"" + n(box.x) + "\" y=\"" + n(box.y) + "\" width=\"" + n(box.width) + "\" height=\"" +
                n(box.height) + "\" fill=\"" + colour(box.colour) + "\"/>\n";
    for (const Figure::Text& one : figure.texts)  // a letter of this font is 0.6 of its size wide
        text += "<text x=\"" + n(one.x) + "\" y=\"" + n(one.y + 7 * one.dot) +
                "\" font-family=\"monospace\" font-size=\"" + n(10 * one.dot) + "\" textLength=\"" +
                n(static_cast<Index>(one.words.size()) * drawing::glyph_advance * one.dot) + "\" fill=\"" +
                colour(drawing::ink) + "\" xml:space=\"preserve\">" + escaped(one.words) + "</text>\n";
    return text + "</svg>\n";
}

/// The pixels of a picture file.
inline Painting paint(const Figure& figure) {
    Painting painting{figure.width, figure.height, {}};
    painting.rgb.assign(static_cast<std::size_t>(figure.width * figure.height * 3), 255);
    const auto fill = [&](Index left, Index top, Index width, Index height, const Figure::Colour& colour) {
        const Range rows = intersection(Range{top, top + height}, {0, figure.height}),
                    columns = intersection(Range{left, left + width}, {0, figure.width});
        for (Index y = rows.begin; y < rows.end; ++y)
            for (Index x = columns.begin; x < columns.end; ++x)
                std::copy(colour.begin(), colour.end(), painting.rgb.begin() + (y * figure.width + x) * 3);
    };
    for (const Figure::Box& box : figure.boxes) fill(box.x, box.y, box.width, box.height, box.colour);
    for (const Figure::Text& one : figure.texts)
        for (std::size_t i = 0; i < one.words.size(); ++i) {
            const Index left = one.x + static_cast<Index>(i) * drawing::glyph_advance * one.dot;
            for (Index row = 0; row < drawing::glyph_height; ++row)
                for (Index column = 0; column < drawing::glyph_width; ++column)
                    if (drawing::has_dot(one.words[i], row, column))
                        fill(left + column * one.dot, one.y + row * one.dot, one.dot, one.dot, drawing::ink);
        }
    return painting;
}

}  // namespace tessera::inline TESSERA_ISA
