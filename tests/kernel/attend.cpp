#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <tessera/kernel/attend.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/reference/attention.hpp>

#include "support/allocations.hpp"

namespace {

using namespace tessera;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Queries, keys and values of one attention; `gap` floats lie between the rows.
struct Problem {
    Index heads, queries, keys, dim, gap, key_heads;
    float scale = 1 / std::sqrt(static_cast<float>(dim));
    Tensor<float, dyn, dyn> q, k, v;

    Problem(Index h, Index t, Index s, Index d, Index between = 0, Index of_keys = 0)
        : heads(h),
          queries(t),
          keys(s),
          dim(d),
          gap(between),
          key_heads(of_keys == 0 ? h : of_keys),
          q({t, width()}),
          k({s, key_heads * d}),
          v({s, key_heads * d}) {
        std::mt19937 random(static_cast<unsigned>(h + 10 * t + 1000 * s + 100000 * d));
        std::normal_distribution<float> normal;
        for (auto* x : {&q, &k, &v})
            for (float& value : x->view()) value = normal(random);
    }

    Index width() const { return heads * dim; }
    kernel::AttendShape shape() const {
        const Index own = key_heads * dim + gap;
        return {heads, queries, keys, dim, width() + gap, own, own, width() + gap, scale, key_heads};
    }

    /// How far a number of query i, head h may be from the sum in double. A score is a sum of d products, scaled: d + 3
    /// roundings of partial sums no larger than size = scale·Σ|q·k| + |bias|; its exponential moves by as much, relative
    /// to itself, and by 3 ulp of its own. Numerator and denominator add up to S + 12 roundings each.
    template <Mask M, Bias B>
    double tolerance(Index head, Index query, const M& mask, const B& bias) const {
        double size = 0, value = 0;
        const Index own = head / (heads / key_heads) * dim;
        for (Index j = 0; j < keys; ++j) {
            if (!mask.allows(Site{head, query, j})) continue;
            double sum = 0;
            for (Index c = 0; c < dim; ++c) {
                sum += std::abs(double{q(query, head * dim + c)} * double{k(j, own + c)});
                value = std::max(value, std::abs(double{v(j, own + c)}));
            }
            size = std::max(size, scale * sum + std::abs(double{bias(Site{head, query, j})}));
        }
        const double half_ulp = 0x1p-24;
        return 2 * half_ulp * (static_cast<double>(dim + 3) * size + 6 + static_cast<double>(keys + 12)) * value;
    }
};

struct Result {
    Tensor<float, dyn, dyn> out;  // with the gaps
    Tensor<float, dyn> lse;
};

template <Index HeadDim, Mask M, Bias B = NoBias>
Result attend(const Problem& p, const M& mask, const B& bias = {}) {
    const Index stride = p.width() + p.gap;
    const auto spread = [&](const Tensor<float, dyn, dyn>& x) {
        const Index row = x.extent(1), from = row + p.gap;
        Tensor<float, dyn, dyn> wide({x.extent(0), from});
        for (Index i = 0; i < x.extent(0); ++i) {
            std::fill_n(&wide.data()[i * from], from, nan);
            std::copy_n(&x.data()[i * row], row, &wide.data()[i * from]);
        }
        return wide;
    };
    const auto q = spread(p.q), k = spread(p.k), v = spread(p.v);
    Result result{Tensor<float, dyn, dyn>({p.queries, stride}), Tensor<float, dyn>({p.heads * p.queries})};
    for (float& x : result.out.view()) x = 77;
    for (float& x : result.lse.view()) x = 77;
    Scratch scratch;
    kernel::attend(result.out.data(), q.data(), k.data(), v.data(), p.shape(), mask, scratch, bias, result.lse.data());
    return result;
}

/// Compares with the reference; every number has to be within its tolerance, and what lies between the rows untouched.
template <Index HeadDim, Mask M, Bias B = NoBias>
void check(const Problem& p, const M& mask, const B& bias = {}) {
    REQUIRE(p.dim == HeadDim);
    const Result found = attend<HeadDim>(p, mask, bias);
    Tensor<float, dyn, dyn> expected({p.queries, p.width()});
    Tensor<float, dyn> lse({p.heads * p.queries});
    reference::attention(expected, p.q, p.k, p.v, p.heads, double{p.scale}, mask, bias, lse.data());
    double worst = 0, worst_lse = 0;
    bool untouched = true;
    for (Index i = 0; i < p.queries; ++i) {
        for (Index h = 0; h < p.heads; ++h) {
            const double tolerance = p.tolerance(h, i, mask, bias);
            for (Index c = h * HeadDim; c < (h + 1) * HeadDim; ++c) {
                const double difference = std::abs(double{found.out(i, c)} - double{expected(i, c)});
                if (tolerance == 0)
                    CHECK(found.out(i, c) == 0.0f);  // nothing visible
                else
                    worst = std::max(worst, difference / tolerance);
                if (!(difference >= 0)) worst = infinity;
            }
            const float one = found.lse(h * p.queries + i), other = lse(h * p.queries + i);
            if (other == -infinity)
                CHECK(one == other);
            else
                worst_lse = std::max(worst_lse, std::abs(double{one} - double{other}) / (1 + std::abs(double{other})));
        }
        for (Index c = p.width(); c < p.width() + p.gap; ++c) untouched = untouched && found.out(i, c) == 77.0f;
    }
    CAPTURE(p.heads);
    CAPTURE(p.queries);
    CAPTURE(p.keys);
    CAPTURE(p.dim);
    CHECK(worst < 1);
    CHECK(worst_lse < 4e-6);
    CHECK(untouched);
}

/// Neither causal nor anything else a kernel could know.
struct Odd {
    bool allows(Site at) const { return (at.query * 7 + at.key * 5 + at.head) % 3 == 1; }
};
struct Nothing {
    bool allows(Site) const { return false; }
};

template <Index HeadDim>
void check_masks(Index heads, Index queries, Index keys, Index gap = 0) {
    const Problem p(heads, queries, keys, HeadDim, gap);
    check<HeadDim>(p, Full{});
    check<HeadDim>(p, Causal::top_left());
    check<HeadDim>(p, Causal::bottom_right(queries, keys));
    check<HeadDim>(p, KeysBelow{keys / 2 + 1});
    check<HeadDim>(p, Odd{});
    check<HeadDim>(p, Where{[](Index query, Index key) { return query % 4 != 2 && key != query; }});
    check<HeadDim>(p, masks::uni_modal(queries / 3));
    check<HeadDim>(p, masks::multimodal_causal(queries / 3));
    check<HeadDim>(p, Nothing{});
    check<HeadDim>(p, Odd{}, [](Site at) { return 0.25f * static_cast<float>((at.key * 3 + at.query + at.head) % 5); });
    check<HeadDim>(p, Full{}, [](Site at) { return -0.01f * static_cast<float>(std::abs(at.query - at.key)); });
}

TEST_CASE("attention equals the reference at awkward sizes, under every kind of mask, with and without bias") {
    for (const Index queries : {1, 7, 16, 33, 70})
        for (const Index keys : {1, 7, 33, 130}) {
            check_masks<4>(3, queries, keys);
            check_masks<10>(2, queries, keys, 3);
            check_masks<12>(2, queries, keys);
            check_masks<16>(1, queries, keys, 5);
            check_masks<17>(2, queries, keys, 1);
        }
    check_masks<64>(2, 33, 70);
    check_masks<80>(2, 65, 65, 16);
    check_masks<88>(2, 257, 257);
    check_masks<128>(1, 31, 300);
    check_masks<256>(1, 40, 40);
}

TEST_CASE("heads share keys and values, of any width") {
    check<16>({6, 20, 40, 16, 2, 3}, Odd{});
    check<16>({6, 20, 40, 16, 0, 1}, Causal::bottom_right(20, 40));
    check<700>({4, 35, 150, 700, 0, 1}, KeysBelow{140});
}

TEST_CASE("without queries nothing is done, without keys there are zeros") {
    const Problem none(2, 0, 9, 12), blind(2, 40, 0, 12);
    attend<12>(none, Full{});
    const Result result = attend<12>(blind, Full{});
    for (const float x : result.out.view()) CHECK(x == 0.0f);
    for (const float x : result.lse.view()) CHECK(x == -infinity);
}

TEST_CASE("what the mask hides may be anything; what it shows comes through") {
    for (const float bad : {nan, infinity, -infinity}) {
        Problem p(1, 40, 75, 16);
        const Causal mask = Causal::bottom_right(40, 75);
        const Result clean = attend<16>(p, mask);
        for (Index c = 0; c < 16; ++c) p.k(60, c) = p.v(60, c) = bad;  // query 25 is the first to see key 60
        const Result found = attend<16>(p, mask);
        for (Index i = 0; i < 25; ++i)
            for (Index c = 0; c < 16; ++c) CHECK(found.out(i, c) == clean.out(i, c));
        if (std::isnan(bad))
            for (Index i = 25; i < 40; ++i)
                for (Index c = 0; c < 16; ++c) CHECK(std::isnan(found.out(i, c)));
        // The same with every second key hidden, where no tile can be skipped.
        const auto odd = Where{[](Index, Index key) { return key % 2 == 1; }};
        const Result beside = attend<16>(p, odd);
        for (const float x : beside.out.view()) CHECK(std::isfinite(x));
    }
    Problem p(1, 5, 40, 16);
    p.v(39, 3) = nan;  // a visible value counts even where its probability is 0
    for (Index c = 0; c < 16; ++c) p.k(39, c) = -1e4f * p.q(2, c);
    const Result found = attend<16>(p, Full{});
    CHECK(std::isnan(found.out(2, 3)));
    CHECK(std::isfinite(found.out(2, 4)));
}

TEST_CASE("scores far apart neither overflow nor lose the largest") {
    Problem p(1, 33, 200, 16);
    for (float& x : p.q.view()) x *= 40;
    for (float& x : p.k.view()) x *= 40;
    p.scale = 1;
    const Result found = attend<16>(p, Full{});
    for (Index i = 0; i < p.queries; ++i) {
        Index best = 0;
        double top = -1e30;
        for (Index j = 0; j < p.keys; ++j) {
            double score = 0;
            for (Index c = 0; c < 16; ++c) score += double{p.q(i, c)} * double{p.k(j, c)};
            if (score > top) top = score, best = j;
        }
        for (Index c = 0; c < 16; ++c) CHECK(found.out(i, c) == doctest::Approx(p.v(best, c)).epsilon(1e-5));
    }
}

TEST_CASE("a bias is asked only where the mask allows") {
    const Problem p(2, 35, 50, 12);
    const Causal mask = Causal::bottom_right(35, 50);
    check<12>(p, mask, [&](Site at) { return mask.allows(at) ? 0.5f : nan; });
}

TEST_CASE("the same bits at any number of threads") {
    const auto same = [](const auto& mask, const Problem& p) {
        const int usual = kernel::threads();
        kernel::set_threads(1);
        const Result one = attend<16>(p, mask);
        for (const int count : {2, 3}) {
            kernel::set_threads(count);
            const Result other = attend<16>(p, mask);
            CHECK(std::memcmp(one.out.data(), other.out.data(),
                              sizeof(float) * static_cast<std::size_t>(one.out.size())) == 0);
            CHECK(std::memcmp(one.lse.data(), other.lse.data(),
                              sizeof(float) * static_cast<std::size_t>(one.lse.size())) == 0);
        }
        kernel::set_threads(usual);
    };
    for (const Index queries : {1, 5, 33, 300}) {
        const Problem p(3, queries, 1100, 16);
        same(Full{}, p);
        same(Causal::bottom_right(queries, 1100), p);
        same(Odd{}, p);
    }
}

TEST_CASE("a second call of the same size allocates nothing") {
    const Problem p(4, 300, 300, 16);
    Tensor<float, dyn, dyn> out({p.queries, p.width()});
    Scratch scratch;
    const auto call = [&] {
        kernel::attend(out.data(), p.q.data(), p.k.data(), p.v.data(), p.shape(), Causal{}, scratch);
    };
    call();
    const auto before = test::allocations();
    call();
    CHECK(test::allocations() == before);
}

}  // namespace
