#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tessera/kernel/row/dropout.hpp>
#include <vector>

namespace kernel_row_dropout {
using namespace tessera;

namespace {

std::uint32_t murmur_mix(std::uint32_t h) {
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

/// What decides about a number, one at a time.
std::uint32_t hash(std::uint64_t seed, std::uint64_t number) {
    const std::uint64_t keys = split_mix(split_mix(seed) ^ number >> 32);
    const auto mixed = murmur_mix(static_cast<std::uint32_t>(number) ^ static_cast<std::uint32_t>(keys));
    return murmur_mix(mixed ^ static_cast<std::uint32_t>(keys >> 32));
}

std::vector<float> dropped(Index count, float p, std::uint64_t seed, std::uint64_t first) {
    const std::vector<float> ones(std::size_t(count), 1.0f);
    std::vector<float> y(ones.size(), -7.0f);
    kernel::dropout(y.data(), ones.data(), count, {p, seed, first});
    return y;
}

TEST_CASE("the finaliser of MurmurHash3 gives its known numbers") {
    CHECK(murmur_mix(0) == 0);
    CHECK(murmur_mix(1) == 0x514e28b7u);
    CHECK(murmur_mix(0xffffffffu) == 0x81f16f39u);
}

TEST_CASE("each number is kept where its hash says so, also where 32 bits end") {
    for (const Index size : {0, 1, 7, 33, 257, 768, 1408, 10000})
        for (const std::uint64_t first :
             {std::uint64_t{0}, std::uint64_t{5}, (std::uint64_t{1} << 32) - 100, std::uint64_t{7} << 40}) {
            const auto y = dropped(size, 0.25f, 42, first);
            bool same = true;
            for (Index i = 0; i < size; ++i)
                same =
                    same && y[std::size_t(i)] == (hash(42, first + std::uint64_t(i)) >= 0x40000000u ? 1 / 0.75f : 0.0f);
            CAPTURE(size);
            CAPTURE(first);
            CHECK(same);
        }
}

TEST_CASE("known answers") {
    std::string kept;
    for (const float y : dropped(32, 0.5f, 1, 0)) kept += y == 0 ? '.' : '#';
    CHECK(kept == ".#......#..###...##.###..#.#....");
}

TEST_CASE("the rate is 1 − p within five standard deviations, for every seed its own numbers, without a pattern") {
    constexpr Index count = 1 << 18;
    for (const float p : {0.0f, 0.1f, 0.5f, 0.9f, 1.0f})
        for (const std::uint64_t seed : {0u, 1u, 77u}) {
            const auto y = dropped(count, p, seed, 0);
            double kept = 0, both = 0, far = 0;
            for (std::size_t i = 0; i < y.size(); ++i) {
                kept += y[i] != 0;
                both += y[i] != 0 && y[(i + 1) % y.size()] != 0;
                far += y[i] != 0 && y[(i + 4096) % y.size()] != 0;
            }
            const double rate = 1 - double{p}, n = static_cast<double>(count);
            CAPTURE(p);
            CAPTURE(seed);
            CHECK(std::abs(kept / n - rate) <= 5 * std::sqrt(rate * (1 - rate) / n) + 1e-9);
            CHECK(std::abs(both / n - rate * rate) <= 5 * std::sqrt(2 * rate * (1 - rate) / n) + 1e-7);
            CHECK(std::abs(far / n - rate * rate) <= 5 * std::sqrt(2 * rate * (1 - rate) / n) + 1e-7);
        }
    const auto one = dropped(count, 0.5f, 1, 0), two = dropped(count, 0.5f, 2, 0);
    double same = 0;
    for (std::size_t i = 0; i < one.size(); ++i) same += one[i] == two[i];
    CHECK(std::abs(same / count - 0.5) < 5 * 0.5 / std::sqrt(double{count}));
}

TEST_CASE("the same bits in pieces, on any threads, in place, and added to") {
    constexpr Index count = 300007;
    std::vector<float> x(count);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
    std::vector<float> y[2], pieces(count), in_place = x, added(count, 2.0f);
    const int usual = kernel::threads();
    for (const int i : {0, 1}) {
        kernel::set_threads(i == 0 ? 1 : 2);
        y[i].resize(count);
        kernel::dropout(y[i].data(), x.data(), count, {0.3f, 9, 1000});
    }
    kernel::set_threads(usual);
    CHECK(y[0] == y[1]);
    for (Index first = 0; first < count; first += 12345)
        kernel::dropout(pieces.data() + first, x.data() + first, std::min<Index>(12345, count - first),
                        {0.3f, 9, 1000 + std::uint64_t(first)});
    CHECK(pieces == y[0]);
    kernel::dropout(in_place.data(), in_place.data(), count, {0.3f, 9, 1000});
    CHECK(in_place == y[0]);
    kernel::dropout(added.data(), x.data(), count, {0.3f, 9, 1000}, added.data());
    const std::vector<float> twos(count, 2.0f);
    kernel::dropout(in_place.data(), x.data(), count, {0.3f, 9, 1000}, twos.data());
    CHECK(in_place == added);
    bool same = true;
    for (std::size_t i = 0; i < x.size(); ++i) same = same && added[i] == y[0][i] + 2;
    CHECK(same);
}

TEST_CASE("NaN and ∞ that are kept go through; those that are dropped are 0") {
    for (const float x : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        const std::vector<float> all(64, x);
        std::vector<float> y(64);
        kernel::dropout(y.data(), all.data(), 64, {0.5f, 3, 0});
        const auto kept = dropped(64, 0.5f, 3, 0);
        for (std::size_t i = 0; i < 64; ++i) CHECK((kept[i] == 0 ? y[i] == 0 : !std::isfinite(y[i])));
    }
}

}  // namespace

}  // namespace kernel_row_dropout
