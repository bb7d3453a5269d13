#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <tessera/kernel/parallel.hpp>
#include <tessera/study.hpp>

#include "support/allocations.hpp"
#include "support/attend.hpp"

namespace kernel_attention_forward_edges {
using namespace tessera;
using test::attend;
using test::infinity;
using test::Problem;
using test::Result;

TEST_CASE("without queries nothing is done, without keys there are zeros") {
    const Problem none(2, 0, 9, 12);
    attend(none, Full{});
    for (const Index queries : {1, 40}) {
        const Problem blind(2, queries, 0, 12);
        const Result result = attend(blind, Full{});
        for (const float x : result.out.view()) CHECK(x == 0.0f);
        for (const float x : result.lse.view()) CHECK(x == -infinity);
    }
}

TEST_CASE("what the mask hides may be anything; what it shows comes through") {
    const auto same = [](float a, float b) { return a == b; };
    for (const Index queries : {2, 35, 40})
        for (const float bad : {test::nan, infinity, -infinity}) {
            Problem p(1, queries, 75, 16);
            const AnyMask mask = Causal::bottom_right(queries, 75);
            const Result clean = attend(p, mask);
            const Index first = queries / 2, key = first + 75 - queries;  // this query is the first to see this key
            for (Index c = 0; c < 16; ++c) p.k(key, c) = p.v(key, c) = bad;
            const Result found = attend(p, mask);
            for (Index i = 0; i < first; ++i)
                for (Index c = 0; c < 16; ++c) CHECK(same(found.out(i, c), clean.out(i, c)));
            if (std::isnan(bad))
                for (Index i = first; i < queries; ++i)
                    for (Index c = 0; c < 16; ++c) CHECK(std::isnan(found.out(i, c)));
            // The same with this and every second key hidden, where no tile can be skipped.
            const Index parity = (key + 1) % 2;
            const Result beside = attend(p, Predicate{[parity](Index, Index at) { return at % 2 == parity; }});
            for (const float x : beside.out.view()) CHECK(std::isfinite(x));
        }
    for (const Index queries : {3, 5}) {
        Problem p(1, queries, 40, 16);
        p.v(39, 3) = test::nan;  // a visible value counts even where its probability is 0
        for (Index c = 0; c < 16; ++c) p.k(39, c) = -1e4f * p.q(2, c);
        const Result found = attend(p, Full{});
        CHECK(std::isnan(found.out(2, 3)));
        CHECK(std::isfinite(found.out(2, 4)));
    }
}

TEST_CASE("scores far apart neither overflow nor lose the largest") {
    for (const Index queries : {2, 33}) {
        Problem p(1, queries, 200, 16);
        for (float& x : p.q.view()) x *= 40;
        for (float& x : p.k.view()) x *= 40;
        p.scale = 1;
        const Result found = attend(p, Full{});
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
}

TEST_CASE("bf16 gives what its numbers give as floats, to the bit") {
    for (const Index queries : {2, 35, 40})
        for (const Index dim : {7, 64}) {
            Problem p(4, queries, 230, dim, 3, 2);
            for (auto* x : {&p.q, &p.k, &p.v})
                for (float& value : x->view()) value = to_float(to_bf16(value));
            const Result one = attend(p, test::odd_mask()), other = attend<bf16>(p, test::odd_mask());
            CHECK(std::memcmp(one.out.data(), other.out.data(), static_cast<std::size_t>(one.out.size()) * 4) == 0);
            CHECK(std::memcmp(one.lse.data(), other.lse.data(), static_cast<std::size_t>(one.lse.size()) * 4) == 0);
        }
}

TEST_CASE("keys and values in bf16 give queries of floats what their numbers give as floats, to the bit") {
    for (const Index queries : {1, 2, 35, 40})
        for (const Index dim : {7, 80})
            for (const AnyMask& mask : {AnyMask(Full{}), test::odd_mask()}) {
                Problem p(4, queries, 230, dim, 3, 2);
                for (auto* x : {&p.k, &p.v})
                    for (float& value : x->view()) value = to_float(to_bf16(value));
                const Result one = attend(p, mask), other = attend<bf16, NoBias, float>(p, mask);
                CHECK(std::memcmp(one.out.data(), other.out.data(), static_cast<std::size_t>(one.out.size()) * 4) == 0);
                CHECK(std::memcmp(one.lse.data(), other.lse.data(), static_cast<std::size_t>(one.lse.size()) * 4) == 0);
            }
}

TEST_CASE("the same bits at any number of threads") {
    const int usual = kernel::threads();
    for (const Index queries : {1, 4, 33, 300})
        for (const Index key_heads : {3, 1}) {
            const Problem p(3, queries, 1100, 16, 0, key_heads);
            for (const AnyMask& mask :
                 {AnyMask(Full{}), AnyMask(Causal::bottom_right(queries, 1100)), test::odd_mask()}) {
                kernel::set_threads(1);
                const Result one = attend(p, mask);
                for (const int count : {2, 3}) {
                    kernel::set_threads(count);
                    const Result other = attend(p, mask);
                    CHECK(std::memcmp(one.out.data(), other.out.data(), static_cast<std::size_t>(one.out.size()) * 4) ==
                          0);
                    CHECK(std::memcmp(one.lse.data(), other.lse.data(), static_cast<std::size_t>(one.lse.size()) * 4) ==
                          0);
                }
            }
        }
    kernel::set_threads(usual);
}

TEST_CASE("a second call of the same size allocates nothing") {
    for (const Index queries : {3, 300}) {
        const Problem p(4, queries, 300, 16);
        Tensor<float, dyn, dyn> out({p.queries, p.width()});
        Scratch scratch;
        const AnyMask mask = Causal::bottom_right(queries, 300);
        const auto call = [&] {
            kernel::attend(out.data(), p.q.data(), p.k.data(), p.v.data(), p.shape(), mask, scratch);
        };
        call();
        const auto before = test::allocations();
        call();
        CHECK(test::allocations() == before);
    }
}

}  // namespace kernel_attention_forward_edges
