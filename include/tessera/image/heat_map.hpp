// Weights over a picture: how much each part of it counts, in colour, with a line of text below.
#pragma once
// Those of stb_easy_font would open in our namespace, if they were not here.
#include <math.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <tessera/image/resize.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

namespace detail::stb {
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#pragma push_macro("INCLUDE_STB_EASY_FONT_H")
#undef INCLUDE_STB_EASY_FONT_H
#if __has_include(<stb/stb_easy_font.h>)
#include <stb/stb_easy_font.h>
#else
#include <stb_easy_font.h>
#endif
#pragma pop_macro("INCLUDE_STB_EASY_FONT_H")
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}  // namespace detail::stb

/// A picture with the weights of its patches laid over it: dark where they are small, warm where they are large.
/// shape   weights [rows, columns] ≥ 0, from the top left; the picture is made `height` pixels high, its patches square
/// errors  Errc::image_size for an empty picture
inline Image heat_map(const Image& picture, View<const float, dyn, dyn> weights, Index height) {
    const Index rows = weights.extent(0), columns = weights.extent(1);
    if (rows < 1 || columns < 1) throw Error(Errc::image_size, "heat_map: expected weights, found none");
    Image out = resize(picture, height, std::max(height * columns / rows, Index{1}));
    float largest = 0;
    for (const float weight : weights.span()) largest = std::max(largest, weight);
    const auto at = [&](Index y, Index x) {
        return weights(std::clamp<Index>(y, 0, rows - 1), std::clamp<Index>(x, 0, columns - 1));
    };
    for (Index y = 0; y < out.height(); ++y)
        for (Index x = 0; x < out.width(); ++x) {
            // Between the middles of four patches.
            const float row =
                (static_cast<float>(y) + 0.5f) * static_cast<float>(rows) / static_cast<float>(height) - 0.5f;
            const float column =
                (static_cast<float>(x) + 0.5f) * static_cast<float>(columns) / static_cast<float>(out.width()) - 0.5f;
            const auto top = static_cast<Index>(std::floor(row)), left = static_cast<Index>(std::floor(column));
            const float down = row - static_cast<float>(top), right = column - static_cast<float>(left);
            const float weight = (1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1)) +
                                 down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1));
            const float share = largest > 0 ? weight / largest : 0;
            const std::array<float, 3> warm{255, 230 * share, 40 * share};
            unsigned char* const pixel = out.row(y) + 3 * x;
            for (std::size_t c = 0; c < 3; ++c) {
                const float dark = 0.35f * static_cast<float>(pixel[c]);
                const float lit =
                    dark + 0.65f * share * (warm[c] - dark) + 0.35f * share * static_cast<float>(pixel[c]);
                pixel[c] = static_cast<unsigned char>(std::lround(std::min(lit, 255.0f)));
            }
        }
    return out;
}

/// Writes a line of text, white, twelve pixels high, its top left corner at (y, x); what does not fit is left out. What is
/// not ASCII becomes '?'.
inline void write_text(Image& image, Index y, Index x, std::string_view text) {
    struct Corner {
        float x, y, z;
        unsigned char colour[4];
    };
    std::string line;
    for (const char c : text)
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x80 || byte >= 0xc0)  // one sign a character
            line += c >= ' ' && c < '\x7f' ? c : '?';
    std::vector<std::array<Corner, 4>> strokes(line.size() * 20 + 1);
    const auto bytes = static_cast<int>(strokes.size() * sizeof strokes[0]);
    const int count = detail::stb::stb_easy_font_print(static_cast<float>(x), static_cast<float>(y), line.data(),
                                                       nullptr, strokes.data(), bytes);
    for (const auto& stroke : std::span(strokes).first(static_cast<std::size_t>(count)))
        for (auto row = static_cast<Index>(stroke[0].y);
             row < std::min(static_cast<Index>(stroke[2].y), image.height()); ++row)
            for (auto column = static_cast<Index>(stroke[0].x);
                 column < std::min(static_cast<Index>(stroke[2].x), image.width()); ++column)
                std::fill_n(image.row(row) + 3 * column, 3, static_cast<unsigned char>(255));
}

}  // namespace tessera::inline TESSERA_ISA
