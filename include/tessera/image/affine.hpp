// Pictures sheared, moved and turned, with the bytes that OpenCV gives.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <tessera/image/image.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Where the point (x, y) of a picture goes: (a·x + b·y + c, d·x + e·y + f).
struct Affine {
    double a = 1, b = 0, c = 0;
    double d = 0, e = 1, f = 0;

    static constexpr Affine shear_x(float factor) { return {.b = factor}; }
    static constexpr Affine shear_y(float factor) { return {.d = factor}; }
    static constexpr Affine translate(float x, float y) { return {.c = x, .f = y}; }
    /// Counterclockwise around the middle.
    static Affine rotate(double degrees, Index height, Index width) {
        const double angle = degrees * (std::numbers::pi / 180);
        const double cosine = std::cos(angle), sine = std::sin(angle);
        const double x = static_cast<double>(width) / 2, y = static_cast<double>(height) / 2;
        return {cosine, sine, (1 - cosine) * x - sine * y, -sine, cosine, sine * x + (1 - cosine) * y};
    }
};

namespace detail {

/// Where points come from, in whole numbers of 1/1024 pixel.
class AffineSource {
  public:
    explicit AffineSource(const Affine& to) {
        const double scale = 1 / (product(to.a, to.e) - product(to.b, to.d));
        a_ = to.e * scale;
        b_ = to.b * -scale;
        d_ = to.d * -scale;
        e_ = to.a * scale;
        c_ = -product(a_, to.c) - product(b_, to.f);
        f_ = -product(d_, to.c) - product(e_, to.f);
    }
    std::array<std::int64_t, 2> of_column(Index x) const {
        return {rounded(product(a_, static_cast<double>(x))), rounded(product(d_, static_cast<double>(x)))};
    }
    std::array<std::int64_t, 2> of_row(Index y) const {
        return {rounded(product(b_, static_cast<double>(y)) + c_), rounded(product(e_, static_cast<double>(y)) + f_)};
    }

  private:
    /// Rounded before it is added to: fused multiply-adds would give other last bits.
    static double product(double x, double y) {
        const volatile double out = x * y;
        return out;
    }
    static std::int64_t rounded(double pixels) { return std::llrint(pixels * 1024); }

    double a_, b_, c_, d_, e_, f_;
};

}  // namespace detail

/// Moves every point of a picture as `to` says, and weighs the four neighbours of where a pixel comes from, in 1/32 of a pixel; what
/// comes from outside is gray of `fill`.
/// shape   [H, W, 3] → the same
/// errors  `to` must be invertible
/// cost    four byte products a channel and pixel
/// source  cv2.warpAffine of OpenCV 4.5.5 (INTER_LINEAR, a constant border), equal to the byte
inline Image warp_affine(const Image& from, const Affine& to, unsigned char fill) {
    const Index height = from.height(), width = from.width();
    const detail::AffineSource source(to);
    std::vector<std::array<std::int64_t, 2>> columns(static_cast<std::size_t>(width));
    for (Index x = 0; x < width; ++x) columns[static_cast<std::size_t>(x)] = source.of_column(x);
    const std::array<unsigned char, 3> outside{fill, fill, fill};
    const auto pixel = [&](std::int64_t x, std::int64_t y) {
        return x >= 0 && x < width && y >= 0 && y < height ? from.row(y) + 3 * x : outside.data();
    };
    Image out(height, width);
    for (Index y = 0; y < height; ++y) {
        const auto [row_x, row_y] = source.of_row(y);
        unsigned char* to_pixel = out.row(y);
        for (const auto [column_x, column_y] : columns) {
            const std::int64_t at_x = (row_x + column_x + 16) >> 5, at_y = (row_y + column_y + 16) >> 5;  // in 1/32
            const std::int64_t left = at_x >> 5, top = at_y >> 5;
            const auto u = static_cast<int>(at_x & 31), v = static_cast<int>(at_y & 31);
            const unsigned char *p00 = pixel(left, top), *p01 = pixel(left + 1, top), *p10 = pixel(left, top + 1),
                                *p11 = pixel(left + 1, top + 1);
            for (int c = 0; c < 3; ++c)
                *to_pixel++ = static_cast<unsigned char>(
                    ((32 - v) * ((32 - u) * p00[c] + u * p01[c]) + v * ((32 - u) * p10[c] + u * p11[c]) + 512) >> 10);
        }
    }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
