#include <doctest/doctest.h>

#include <random>
#include "support/catalogue.hpp"
#include "support/mask.hpp"

using namespace tessera;

TEST_CASE("every mask of the catalogue keeps its word at odd sizes") {
    for (const Index queries : {1, 7, 33, 65})
        for (const Index keys : {1, 7, 33, 65}) {
            const test::Catalogue catalogue(queries, keys);
            for (const test::NamedMask& one : catalogue) {
                CAPTURE(one.name);
                test::check(one.mask, queries, keys, one.heads);
            }
        }
}

namespace {

/// The smallest part of a composition that breaks its word.
const test::Composition* broken(const test::Composition& whole, Index queries, Index keys) {
    for (const test::Composition& part : whole.parts)
        if (const auto* found = broken(part, queries, keys)) return found;
    return verify(whole.whole.mask, queries, keys, whole.whole.heads) ? nullptr : &whole;
}

/// What a composition allows, by the parts it was made of.
bool expected(const test::Composition& whole, Site at) {
    if (whole.operation == '~') return !expected(whole.parts[0], at);
    if (whole.operation == '&') return expected(whole.parts[0], at) && expected(whole.parts[1], at);
    if (whole.operation == '|') return expected(whole.parts[0], at) || expected(whole.parts[1], at);
    return whole.whole.mask.allows(at);
}

}  // namespace

TEST_CASE("so do thousands of random compositions") {
    std::mt19937 random(20240611);
    const auto lot = [&random](std::size_t count) { return static_cast<std::size_t>(random() % count); };
    Index tiles = 0, loose = 0;
    for (const auto& [queries, keys] : {std::pair<Index, Index>{8, 8}, {11, 9}, {5, 14}, {1, 12}}) {
        const test::Catalogue catalogue(queries, keys);
        for (int i = 0; i < 750; ++i) {
            const test::Composition one = test::compose_by_lot(catalogue, lot, 3);
            const Verdict verdict = verify(one.whole.mask, queries, keys, one.whole.heads);
            tiles += verdict.tiles, loose += verdict.loose;
            if (!verdict) {
                const test::NamedMask& smallest = broken(one, queries, keys)->whole;
                FAIL(queries, " × ", keys, ", ", smallest.name, ": ",
                     verify(smallest.mask, queries, keys, smallest.heads).text());
            }
            for (Index head = 0; head < one.whole.heads; ++head)
                for (Index query = 0; query < queries; ++query)
                    for (Index key = 0; key < keys; ++key)
                        REQUIRE(one.whole.mask.allows({head, query, key}) == expected(one, {head, query, key}));
        }
    }
    CHECK(loose * 50 < tiles);  // sound is a must, tight a wish: hulls and single rows tell all but 2 %
}
