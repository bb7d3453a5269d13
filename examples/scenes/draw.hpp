// Scenes as pictures. Whole numbers only, so that every machine draws the same bytes.
#pragma once
#include <algorithm>
#include <cmath>
#include <tessera/image/image.hpp>

#include "world.hpp"

namespace scenes {

inline constexpr Index picture_side = 48;

namespace detail {

// Lengths are in 256ths of a pixel.
inline constexpr int pixel = 256;

/// ⌊√n⌋; the square root of a double is exact to the last bit everywhere.
inline int root(std::int64_t n) { return static_cast<int>(std::sqrt(static_cast<double>(n))); }
inline int length(int x, int y) { return root(std::int64_t{x} * x + std::int64_t{y} * y); }

/// How far (x, y) lies outside of a shape of radius r around 0; negative inside.
inline int distance(Index shape, int r, int x, int y) {
    const auto within = [&](int width, int height) { return std::max(std::abs(x) - width, std::abs(y) - height); };
    switch (shape) {
        case 0:  // circle
            return length(x, y) - r;
        case 1:  // square
            return within(r * 7 / 8, r * 7 / 8);
        case 2: {  // triangle, upright, with equal sides: its inner circle has 0.6 of the radius and lies low
            const int inner = r * 3 / 5, below = y - inner / 2;
            return std::max((std::abs(x) * 222 - below * 128) / 256, below) - inner;
        }
        case 3:  // cross
            return std::min(within(r / 3, r), within(r, r / 3));
        default:  // ring
            return std::abs(length(x, y) - r * 3 / 4) - r / 4;
    }
}

inline constexpr std::array<std::array<int, 3>, 6> colour_values{
    {{215, 45, 40}, {45, 170, 65}, {55, 90, 225}, {230, 205, 50}, {150, 55, 185}, {235, 235, 235}}};

/// An object in its place.
struct Placed {
    Object object;
    int x, y, radius;
    int cosine, sine;  // of its turn, in 1024ths
    std::array<int, 3> colour;

    Placed(const Object& o, int centre_x, int centre_y, Random& random)
        : object(o),
          x(centre_x),
          y(centre_y),
          radius(o.size == 0 ? random.between(1330, 1590) : random.between(2200, 2500)),
          sine(random.between(-150, 150)) {
        cosine = root(1024 * 1024 - sine * sine);
        const int light = random.between(225, 268);
        for (std::size_t i = 0; i < 3; ++i)
            colour[i] = colour_values[std::size_t(o.colour)][i] * light / 256 + random.between(-10, 10);
    }
    /// Its share of the pixel whose middle is (px, py), in 256ths, and how far right of its middle that is, in radii.
    std::pair<int, int> cover(int px, int py) const {
        const int dx = px - x, dy = py - y;
        const int u = (dx * cosine + dy * sine) / 1024, v = (dy * cosine - dx * sine) / 1024;
        return {std::clamp(pixel / 2 - distance(object.shape, radius, u, v), 0, pixel), u * 256 / radius};
    }
};

inline std::vector<Placed> place(const Scene& scene, Random& random) {
    const auto between = [&](int first, int last) { return random.between(first * pixel, last * pixel); };
    std::vector<Placed> out;
    if (scene.count == 1) {
        const int x = between(13, 35), y = between(13, 35);
        out.emplace_back(scene.objects[0], x, y, random);
        return out;
    }
    const int across = between(14, 34);
    for (std::size_t i = 0; i < 2; ++i) {
        const int along = i == 0 ? between(10, 14) : between(34, 38), other = across + between(-4, 4);
        if (scene.relation == 0)
            out.emplace_back(scene.objects[i], along, other, random);
        else
            out.emplace_back(scene.objects[i], other, along, random);
    }
    return out;
}

}  // namespace detail

/// A picture of `scene`: where its objects lie, how large exactly, how they are turned and lit, the dark background with its
/// gradient and the noise are drawn at random.
/// shape   [48, 48, 3]
/// cost    20 µs
inline tessera::Image draw(const Scene& scene, Random& random) {
    using detail::pixel;
    constexpr int side = static_cast<int>(picture_side);
    const std::vector<detail::Placed> objects = detail::place(scene, random);
    const int background = random.between(15, 80) * 16, right = random.between(-8, 8), down = random.between(-8, 8);
    const int noise = random.between(32, 96);  // its deviation, in 16ths
    tessera::Image image(side, side);
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            std::array<int, 3> value;  // in 16ths
            value.fill(background + right * (x - side / 2) + down * (y - side / 2));
            for (const detail::Placed& object : objects) {
                const auto [share, lit] = object.cover(x * pixel + pixel / 2, y * pixel + pixel / 2);
                if (share == 0) continue;
                for (std::size_t c = 0; c < 3; ++c) {
                    const int full = object.colour[c] * (2560 + lit) / 160;
                    value[c] += (full - value[c]) * share / pixel;
                }
            }
            std::uint64_t bits = 0;
            for (std::size_t c = 0; c < 3; ++c) {
                if (c % 2 == 0) bits = random.next();
                int sum = -510;  // of four bytes, whose deviation together is 148
                for (int i = 0; i < 4; ++i, bits >>= 8) sum += static_cast<int>(bits & 255);
                const int noisy = (value[c] + sum * noise / 148 + 8) / 16;
                image.row(y)[3 * x + static_cast<int>(c)] = static_cast<unsigned char>(std::clamp(noisy, 0, 255));
            }
        }
    return image;
}

/// Picture number `index` of a split: the same for the same seed, whatever was drawn before.
struct Example {
    Scene scene;
    tessera::Image image;
};
inline Example example(std::uint64_t seed, Split split, Index index, Index single = 20) {
    Random random(seed, static_cast<std::uint64_t>(index) * split_names.size() + static_cast<std::uint64_t>(split));
    const Scene scene = draw_scene(random, split, single);
    return {scene, draw(scene, random)};
}

}  // namespace scenes
