// Bicubic resizing with the bytes that Pillow gives: rounded integer weights, and bytes between the two passes.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <tessera/core/error.hpp>
#include <tessera/image/image.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Which of the two passes runs first; the picture is rounded to bytes between them, so the order shows.
enum class PassOrder {
    pillow_13,  // vertical first where the height shrinks by more than twice what the width does
    pillow_12,  // horizontal first, always; Pillow 12 and before
};

namespace detail {

/// What one row or column of the result takes from the source: `count` neighbours from `first` on.
struct Taps {
    Index first = 0;
    Index count = 0;
    const std::int32_t* weights = nullptr;  // [count], in units of 2⁻²²
};

/// The weights of a resize along one axis.
/// shape   `from` source positions → `to` results
/// units   integers that sum to about 2²²
/// cost    4 neighbours a result when enlarging, 4·from/to when shrinking
/// source  Keys 1981, a = −0.5, stretched by from/to when shrinking; Pillow's Resample.c for the rounding
class BicubicWeights {
  public:
    static constexpr int precision = 32 - 8 - 2;  // bits of a weight: 8 are the byte's, 2 are for sign and overshoot

    BicubicWeights(Index from, Index to) : first_(size_of(to)), count_(size_of(to)) {
        const double scale = static_cast<double>(from) / static_cast<double>(to);
        const double stretch = std::max(scale, 1.0);
        const double support = 2.0 * stretch;
        const double inverse = 1.0 / stretch;
        most_ = static_cast<Index>(std::ceil(support)) * 2 + 1;
        weights_.resize(size_of(to * most_));
        std::vector<double> exact(size_of(most_));
        for (Index at = 0; at < to; ++at) {
            const double center = product(static_cast<double>(at) + 0.5, scale);
            const Index first = std::max<Index>(static_cast<Index>(center - support + 0.5), 0);
            const Index last = std::min<Index>(static_cast<Index>(center + support + 0.5), from);
            double sum = 0;
            for (Index i = first; i < last; ++i)
                sum += exact[size_of(i - first)] = kernel(product(static_cast<double>(i) - center + 0.5, inverse));
            first_[size_of(at)] = first;
            count_[size_of(at)] = last - first;
            for (Index i = 0; i < last - first; ++i)
                weights_[size_of(at * most_ + i)] = rounded(sum == 0 ? 0 : exact[size_of(i)] / sum);
        }
    }

    Taps operator[](Index at) const { return {first_[size_of(at)], count_[size_of(at)], weights_.data() + at * most_}; }

  private:
    static std::size_t size_of(Index i) { return static_cast<std::size_t>(i); }

    /// A product that is rounded before it is used: fused multiply-adds would give other last bits than Pillow's.
    static double product(double a, double b) {
        volatile double rounded = a * b;
        return rounded;
    }
    static double kernel(double x) {
        constexpr double a = -0.5;
        x = std::abs(x);
        if (x < 1) return product(product(product(a + 2, x) - (a + 3), x), x) + 1;
        if (x < 2) return (product(product(x - 5, x) + 8, x) - 4) * a;
        return 0;
    }
    static std::int32_t rounded(double weight) {  // halves away from zero
        const double scaled = weight * (1 << precision);
        return static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }

    Index most_ = 0;  // neighbours that one result can have
    std::vector<Index> first_, count_;
    std::vector<std::int32_t> weights_;
};

/// The weighted sum of `taps.count` rows of bytes that lie `stride` apart, lane by lane, rounded and clipped to bytes.
/// shape   rows [count, lanes] → out [lanes]
inline void weigh(const unsigned char* rows, Index stride, Taps taps, unsigned char* out, Index lanes) {
    constexpr Index block = 64;  // a fixed count of sums, so that the loops over them become vector code
    const auto clip = [](std::int32_t sum) {
        return static_cast<unsigned char>(std::clamp(sum >> BicubicWeights::precision, 0, 255));
    };
    for (; lanes >= block; lanes -= block, rows += block, out += block) {
        std::array<std::int32_t, block> sums;
        sums.fill(1 << (BicubicWeights::precision - 1));
        for (Index tap = 0; tap < taps.count; ++tap) {
            const std::int32_t weight = taps.weights[tap];
            const unsigned char* row = rows + tap * stride;
            for (Index lane = 0; lane < block; ++lane) sums[static_cast<std::size_t>(lane)] += row[lane] * weight;
        }
        for (Index lane = 0; lane < block; ++lane) out[lane] = clip(sums[static_cast<std::size_t>(lane)]);
    }
    for (Index lane = 0; lane < lanes; ++lane) {
        std::int32_t sum = 1 << (BicubicWeights::precision - 1);
        for (Index tap = 0; tap < taps.count; ++tap) sum += rows[tap * stride + lane] * taps.weights[tap];
        out[lane] = clip(sum);
    }
}

/// Resizes the height only.
inline Image resize_vertically(const Image& from, Index height) {
    Image out(height, from.width());
    const BicubicWeights weights(from.height(), height);
    const Index lanes = from.width() * 3;
    for (Index y = 0; y < height; ++y) weigh(from.row(weights[y].first), lanes, weights[y], out.row(y), lanes);
    return out;
}

/// Resizes the width only.
inline Image resize_horizontally(const Image& from, Index width) {
    constexpr Index rows = 64, lanes = rows * 3;  // rows that are resized at once, side by side, so that lanes are many
    Image out(from.height(), width);
    const BicubicWeights weights(from.width(), width);
    Buffer<unsigned char> columns(from.width() * lanes);  // [width, rows, 3]
    std::fill_n(columns.data(), columns.size(), static_cast<unsigned char>(0));
    std::array<unsigned char, lanes> column;
    for (Index top = 0; top < from.height(); top += rows) {
        const Index present = std::min(rows, from.height() - top);
        for (Index y = 0; y < present; ++y)
            for (Index x = 0; x < from.width(); ++x)
                std::copy_n(from.row(top + y) + x * 3, 3, columns.data() + x * lanes + y * 3);
        for (Index x = 0; x < width; ++x) {
            const Taps taps = weights[x];
            weigh(columns.data() + taps.first * lanes, lanes, taps, column.data(), (present * 3 + 63) / 64 * 64);
            for (Index y = 0; y < present; ++y) std::copy_n(column.data() + y * 3, 3, out.row(top + y) + x * 3);
        }
    }
    return out;
}

}  // namespace detail

/// Resizes to exactly `height` × `width`, without keeping the aspect; antialiased when it shrinks.
/// shape   [H, W, 3] → [height, width, 3]
/// errors  Errc::image_size where one of the four is not positive
/// cost    one byte product for each channel, result and neighbour; one picture between the passes
/// source  Pillow's Image.resize(…, BICUBIC), equal to the bit
inline Image resize(const Image& from, Index height, Index width, PassOrder order = PassOrder::pillow_13) {
    if (from.height() < 1 || from.width() < 1)
        throw Error(Errc::image_size, "cannot resize an empty picture (", from.height(), "×", from.width(), ")");
    if (height < 1 || width < 1)
        throw Error(Errc::image_size, "cannot resize to ", height, "×", width, ": expected at least 1×1");
    if (height == from.height() && width == from.width()) return from;
    if (height == from.height()) return detail::resize_horizontally(from, width);
    if (width == from.width()) return detail::resize_vertically(from, height);
    const bool vertical_first =
        order == PassOrder::pillow_13 && height < from.height() && from.height() - height > 2 * (from.width() - width);
    if (vertical_first) return detail::resize_horizontally(detail::resize_vertically(from, height), width);
    return detail::resize_vertically(detail::resize_horizontally(from, width), height);
}

}  // namespace tessera::inline TESSERA_ISA
