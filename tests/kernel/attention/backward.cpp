// Gradients of attention against the reference, and the promises of the kernel that computes them.
#include <doctest/doctest.h>

#include <cstring>
#include <tessera/kernel/parallel.hpp>

#include "support/allocations.hpp"
#include "support/attention_gradients.hpp"
#include "support/catalogue.hpp"

namespace kernel_attention_backward {
using namespace tessera;

namespace {

using test::GradientProblem;
using test::Gradients;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST_CASE("gradients equal the reference's under every mask of the catalogue, at awkward sizes") {
    const auto all = [](const test::GradientSizes& sizes) {
        const test::Catalogue catalogue(sizes.queries, sizes.keys);
        for (const test::NamedMask& mask : catalogue) {
            CAPTURE(mask.name);
            test::check_gradients(sizes, mask.mask);
        }
    };
    all({.heads = 2, .queries = 1, .keys = 1, .dim = 4});
    all({.heads = 1, .queries = 7, .keys = 33, .dim = 17, .gap = 3});
    all({.heads = 3, .queries = 33, .keys = 7, .dim = 10, .gap = 5});
    all({.heads = 3, .queries = 70, .keys = 65, .dim = 12});
}

TEST_CASE("wide heads, shared keys, several shares of the keys") {
    const auto some = [](const test::GradientSizes& sizes) {
        test::check_gradients(sizes, AnyMask(Full{}));
        test::check_gradients(sizes, AnyMask(Causal::bottom_right(sizes.queries, sizes.keys)));
        test::check_gradients(sizes, AnyMask(Random{.density = 0.3, .seed = 4, .by_head = true}));
    };
    some({.heads = 2, .queries = 33, .keys = 40, .dim = 64});
    some({.heads = 1, .queries = 65, .keys = 33, .dim = 88, .gap = 8});
    some({.heads = 1, .queries = 17, .keys = 20, .dim = 256});
    some({.heads = 6, .queries = 35, .keys = 50, .dim = 16, .key_heads = 2, .gap = 1});
    some({.heads = 4, .queries = 9, .keys = 33, .dim = 8, .key_heads = 1});
    some({.heads = 1, .queries = 40, .keys = 1100, .dim = 4});
    some({.heads = 2, .queries = 130, .keys = 600, .dim = 4, .key_heads = 1});
}

/// Whether two results have the same bits.
bool same(const test::Numbers& a, const test::Numbers& b) {
    return std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0;
}
bool finite(const test::Numbers& x) {
    return std::all_of(x.data(), x.data() + x.size(), [](float value) { return std::isfinite(value); });
}
void fill_row(test::Numbers& x, Index row, float value) {
    std::fill_n(x.data() + row * x.extent(1), x.extent(1), value);
}

TEST_CASE("without queries keys get zeros, without keys queries do") {
    GradientProblem none({.heads = 2, .queries = 0, .keys = 9, .dim = 12}),
        blind({.heads = 2, .queries = 40, .keys = 0, .dim = 12});
    const Gradients of_keys = test::attend_backward(none, AnyMask(Full{}));
    for (const float x : of_keys.dk.view()) CHECK(x == 0.0f);
    for (const float x : of_keys.dv.view()) CHECK(x == 0.0f);
    blind.solve(AnyMask(Full{}), NoBias{});
    const Gradients of_queries = test::attend_backward(blind, AnyMask(Full{}));
    for (const float x : of_queries.dq.view()) CHECK(x == 0.0f);
}

TEST_CASE("what the mask hides may be anything; what it shows comes through") {
    for (const float bad : {nan, infinity, -infinity}) {
        CAPTURE(bad);
        // Query 25 is the first to see key 60.
        GradientProblem p({.heads = 1, .queries = 40, .keys = 75, .dim = 16});
        const AnyMask causal = Causal::bottom_right(40, 75);
        p.solve(causal, NoBias{});
        const Gradients clean = test::attend_backward(p, causal);
        fill_row(p.k, 60, bad), fill_row(p.v, 60, bad);
        p.solve(causal, NoBias{});
        const Gradients found = test::attend_backward(p, causal);
        CHECK(std::memcmp(clean.dq.data(), found.dq.data(), 25 * 16 * sizeof(float)) == 0);
        if (std::isnan(bad))
            for (Index i = 25; i < 40; ++i) CHECK(std::isnan(found.dq(i, 3)));

        // Here keys and queries that nobody sees stand between others, where no tile can be skipped.
        const AnyMask odd = Predicate{[](Index query, Index key) { return query % 4 != 2 && key % 2 == 1; }};
        GradientProblem between({.heads = 2, .queries = 35, .keys = 70, .dim = 12});
        between.solve(odd, NoBias{});
        const Gradients usual = test::attend_backward(between, odd);
        for (Index key = 0; key < 70; key += 2) fill_row(between.k, key, bad), fill_row(between.v, key, bad);
        for (Index query = 2; query < 35; query += 4)
            fill_row(between.q, query, bad), fill_row(between.d_out, query, bad);
        const Gradients beside = test::attend_backward(between, odd);
        CHECK(finite(beside.dq));
        CHECK(finite(beside.dk));
        CHECK(finite(beside.dv));
        test::check_gradient("dq", beside.dq, usual.dq, between.for_dq);
        test::check_gradient("dk", beside.dk, usual.dk, between.for_dk);
        test::check_gradient("dv", beside.dv, usual.dv, between.for_dv);
        for (Index c = 0; c < 24; ++c) {
            CHECK(beside.dq(2, c) == 0.0f);
            CHECK(beside.dk(30, c) == 0.0f);
            CHECK(beside.dv(30, c) == 0.0f);
        }
    }
    GradientProblem p({.heads = 1, .queries = 5, .keys = 40, .dim = 16});
    p.solve(AnyMask(Full{}), NoBias{});
    p.d_out(3, 7) = nan;
    const Gradients found = test::attend_backward(p, AnyMask(Full{}));
    CHECK(std::isnan(found.dv(20, 7)));
    CHECK(std::isfinite(found.dv(20, 8)));
    CHECK(std::isnan(found.dq(3, 0)));
    CHECK(std::isfinite(found.dq(2, 0)));
}

TEST_CASE("a query all of whose visible scores are infinitely low has no gradient") {
    GradientProblem p({.heads = 1, .queries = 6, .keys = 9, .dim = 4});
    const auto never = [](Site at) { return at.query == 2 || at.key == 5 ? -infinity : 0.0f; };
    p.solve(AnyMask(Full{}), never);
    REQUIRE(p.lse(0, 2) == -infinity);
    const Gradients found = test::attend_backward(p, AnyMask(Full{}), never);
    for (Index c = 0; c < 4; ++c) {
        CHECK(found.dq(2, c) == 0.0f);
        CHECK(found.dk(5, c) == 0.0f);
    }
    test::check_gradient("dq", found.dq, p.dq, p.for_dq);
    test::check_gradient("dk", found.dk, p.dk, p.for_dk);
    test::check_gradient("dv", found.dv, p.dv, p.for_dv);
}

TEST_CASE("the same bits at any number of threads") {
    const auto check = [](const test::GradientSizes& sizes, const AnyMask& mask) {
        GradientProblem p(sizes);
        p.solve(mask, NoBias{});
        const int usual = kernel::threads();
        kernel::set_threads(1);
        const Gradients one = test::attend_backward(p, mask);
        for (const int count : {2, 3}) {
            kernel::set_threads(count);
            const Gradients other = test::attend_backward(p, mask);
            CHECK(same(one.dq, other.dq));
            CHECK(same(one.dk, other.dk));
            CHECK(same(one.dv, other.dv));
        }
        kernel::set_threads(usual);
    };
    for (const AnyMask& mask : {AnyMask(Full{}), AnyMask(Causal::bottom_right(70, 1600)), AnyMask(Random{0.4, 8})}) {
        check({.heads = 1, .queries = 70, .keys = 1600, .dim = 4}, mask);  // three shares of the keys
        check({.heads = 4, .queries = 70, .keys = 50, .dim = 12, .key_heads = 2}, mask);
    }
}

kernel::AttendGradients operands(const GradientProblem& p, Gradients& g) {
    return {.dq = g.dq.data(),
            .dk = g.dk.data(),
            .dv = g.dv.data(),
            .d_out = p.d_out.data(),
            .out = p.out.data(),
            .lse = p.lse.data(),
            .q = p.q.data(),
            .k = p.k.data(),
            .v = p.v.data()};
}

TEST_CASE("gradients that are not wanted are left out, and the others keep their bits") {
    for (const AnyMask& mask : {AnyMask(Full{}), AnyMask(Random{0.4, 8})})
        for (const float wild : {1.0f, infinity})   // with infinity around, hidden pairs are kept out one by one
            for (const Index queries : {9, 200}) {  // keys where they lie, and copied
                GradientProblem p({.heads = 4, .queries = queries, .keys = 70, .dim = 12, .key_heads = 2});
                p.solve(mask, NoBias{});
                p.k(33, 5) *= wild;
                const Gradients all = test::attend_backward(p, mask);
                Scratch scratch;
                for (const bool keys : {false, true})
                    for (const bool values : {false, true}) {
                        Gradients some = all;
                        for (auto* gradient : {&some.dq, &some.dk, &some.dv})
                            std::fill_n(gradient->data(), gradient->size(), 7.0f);
                        auto x = operands(p, some);
                        if (!keys) x.dk = nullptr;
                        if (!values) x.dv = nullptr;
                        kernel::attend_backward(x, p.shape(), mask, scratch);
                        const auto as_it_was = [](float number) { return number == 7.0f; };
                        CHECK(same(some.dq, all.dq));
                        CHECK((keys ? same(some.dk, all.dk) : std::ranges::all_of(some.dk.view(), as_it_was)));
                        CHECK((values ? same(some.dv, all.dv) : std::ranges::all_of(some.dv.view(), as_it_was)));
                    }
            }
}

TEST_CASE("a second call of the same size allocates nothing") {
    GradientProblem p({.heads = 2, .queries = 100, .keys = 1100, .dim = 4});
    Gradients g{p.dq, p.dk, p.dv};
    Scratch scratch;
    const Causal mask = Causal::bottom_right(100, 1100);
    p.solve(mask, NoBias{});
    const auto call = [&] { kernel::attend_backward(operands(p, g), p.shape(), mask, scratch); };
    call();
    const auto before = test::allocations();
    call();
    CHECK(test::allocations() == before);
}

}  // namespace

}  // namespace kernel_attention_backward
