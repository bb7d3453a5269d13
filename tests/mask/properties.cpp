#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <ostream>
#include <tessera/mask/block_mask.hpp>
#include <tessera/study/density.hpp>
#include <tessera/study/flow.hpp>
#include <tessera/study/parse.hpp>
#include <tessera/study/verify.hpp>
#include "support/catalogue.hpp"

namespace mask_properties {
using namespace tessera;

namespace {

/// Checks `property` in thousands of cases, the same ones in each run; what fails is made smaller before it is printed.
/// RC_PARAMS='seed=…' tries others.
template <class Property>
void hold(const char* what, const Property& property) {
    ::setenv("RC_PARAMS", "seed=20240611 max_success=3000", 0);
    const bool holds = rc::check(what, property);
    CHECK_MESSAGE(holds, what);
}

std::size_t random_below(std::size_t count) { return *rc::gen::inRange<std::size_t>(0, count); }
Index size(Index most) { return 1 + static_cast<Index>(random_below(static_cast<std::size_t>(most))); }
Range part(Index end) {
    const Index begin = size(end) - 1;
    return {begin, begin + size(end - begin)};
}

/// Compositions for a few queries and keys, with what they borrow.
struct Case {
    Index queries, keys;
    std::shared_ptr<const test::Catalogue> catalogue;
    std::vector<test::Composition> masks;

    const test::NamedMask& whole() const { return masks.front().whole; }
    friend std::ostream& operator<<(std::ostream& out, const Case& it) {
        out << it.queries << " × " << it.keys;
        for (const test::Composition& one : it.masks) out << ", " << one.whole.name;
        return out;
    }
};

/// A random case with a mask for each of `depths`, of up to 2^depth parts; it shrinks mask by mask, part by part.
Case draw_case(const std::vector<int>& depths) {
    const auto drawn = rc::gen::exec([depths] {
        const Index queries = size(12), keys = size(14);
        Case it{queries, keys, std::make_shared<const test::Catalogue>(queries, keys), {}};
        for (const int depth : depths) it.masks.push_back(test::compose_randomly(*it.catalogue, random_below, depth));
        return it;
    });
    return *rc::gen::shrink(rc::gen::noShrink(drawn), [](const Case& it) {
        std::vector<Case> found;
        for (std::size_t i = 0; i < it.masks.size(); ++i)
            for (test::Composition& less : test::smaller(it.masks[i], (*it.catalogue)[0])) {
                found.push_back(it);
                found.back().masks[i] = std::move(less);
            }
        return rc::seq::fromContainer(std::move(found));
    });
}

/// What a composition allows, by the parts it was made of.
bool expected(const test::Composition& whole, Site at) {
    if (whole.operation == '~') return !expected(whole.parts[0], at);
    if (whole.operation == '&') return expected(whole.parts[0], at) && expected(whole.parts[1], at);
    if (whole.operation == '|') return expected(whole.parts[0], at) || expected(whole.parts[1], at);
    return whole.whole.mask.allows(at);
}

/// Calls f with every score.
template <class F>
void each(Index heads, Index queries, Index keys, const F& f) {
    for (Index head = 0; head < heads; ++head)
        for (Index query = 0; query < queries; ++query)
            for (Index key = 0; key < keys; ++key) f(Site{head, query, key});
}

}  // namespace

TEST_CASE("compositions keep their word, and their promise to tell every tile") {
    Index tiles = 0, loose = 0;
    hold("compositions keep their word", [&] {
        const Case it = draw_case({3});
        const test::Composition& one = it.masks.front();
        const test::NamedMask& whole = one.whole;
        const Verdict verdict = verify(whole.mask, it.queries, it.keys, whole.heads);
        tiles += verdict.tiles, loose += verdict.loose;
        if (!verdict) RC_FAIL(whole.name + ": " + verdict.text());
        RC_ASSERT(masks::cover_is_exact(whole.mask) == !whole.text.empty());  // all but those with a lambda inside
        each(whole.heads, it.queries, it.keys, [&](Site at) { RC_ASSERT(whole.mask.allows(at) == expected(one, at)); });
    });
    CHECK(loose * 50 < tiles);  // and with lambdas inside, hulls and single rows tell all but 2 %
}

TEST_CASE("expressions read back are the masks they were written from") {
    hold("expressions read back", [] {
        const Case it = draw_case({3});
        const test::NamedMask& whole = it.whole();
        RC_PRE(!whole.text.empty());
        const AnyMask read = parsing::MaskReader(whole.text, it.queries, it.keys).whole();
        RC_ASSERT(masks::fits(read, it.queries, it.keys) == masks::fits(whole.mask, it.queries, it.keys));
        each(whole.heads, it.queries, it.keys, [&](Site at) {
            if (read.allows(at) != whole.mask.allows(at)) RC_FAIL(whole.text);
        });
        const Tile tile{0, part(it.queries), part(it.keys)};
        RC_ASSERT(read.cover(tile) == whole.mask.cover(tile));
    });
}

TEST_CASE("the laws of an algebra of sets") {
    hold("laws", [] {
        const Case it = draw_case({2, 2, 1});
        const AnyMask &a = it.masks[0].whole.mask, &b = it.masks[1].whole.mask, &c = it.masks[2].whole.mask;
        const Tile tile{static_cast<Index>(random_below(2)), part(it.queries), part(it.keys)};
        const auto same = [&](const char* law, const AnyMask& x, const AnyMask& y) {
            RC_LOG(law);
            RC_ASSERT(masks::cover_is_exact(x) == masks::cover_is_exact(y));
            if (masks::cover_is_exact(x)) RC_ASSERT(x.cover(tile) == y.cover(tile));
            for (Index query = tile.queries.begin; query < tile.queries.end; ++query)
                RC_ASSERT(x.bits(tile.head, query, tile.keys) == y.bits(tile.head, query, tile.keys));
        };
        same("De Morgan", ~(a & b), ~a | ~b);
        same("De Morgan", ~(a | b), ~a & ~b);
        same("twice not", ~~a, a);
        same("order", a & b, b & a);
        same("order", a | b, b | a);
        same("grouping", (a & b) & c, a & (b & c));
        same("grouping", (a | b) | c, a | (b | c));
        same("distribution", a & (b | c), (a & b) | (a & c));
        same("distribution", a | (b & c), (a | b) & (a | c));
        same("choice", Choose{a, b, c}, (a & b) | (~a & c));
        same("there and back", Shifted{Shifted{a, 2, 3}, -2, -3}, a & ~(FirstQueries{2} | FirstKeys{3}));
    });
}

TEST_CASE("class maps and densities count what is allowed") {
    hold("class maps and densities", [] {
        const Case it = draw_case({2});
        const test::NamedMask& whole = it.whole();
        const Index rows = size(5), columns = size(5),
                    head = static_cast<Index>(random_below(static_cast<std::size_t>(whole.heads)));
        const BlockMap map(whole.mask, it.queries, it.keys, head, rows, columns);
        const Density density(whole.mask, it.queries, it.keys, head, rows, columns);
        for (Index y = 0; y < map.height(); ++y)
            for (Index x = 0; x < map.width(); ++x) {
                const Range queries{y * rows, std::min((y + 1) * rows, it.queries)};
                const Range keys{x * columns, std::min((x + 1) * columns, it.keys)};
                Index visible = 0;
                for (Index query = queries.begin; query < queries.end; ++query)
                    for (Index key = keys.begin; key < keys.end; ++key)
                        visible += whole.mask.allows({head, query, key});
                const Index area = queries.size() * keys.size();
                const Cover cover = visible == 0 ? Cover::empty : visible == area ? Cover::full : Cover::partial;
                RC_ASSERT(map(y, x) == cover);
                RC_ASSERT(density.cover(y, x) == cover);
                RC_ASSERT(density.share(y, x) * static_cast<double>(area) == static_cast<double>(visible));
            }
    });
}

TEST_CASE("information spreads along the mask and no other way") {
    hold("flow", [] {
        const Case it = draw_case({2});
        const test::NamedMask& whole = it.whole();
        const Index rows = it.queries, layers = size(4) - 1;
        const Range from = part(rows);
        // Layer by layer, everything from everything.
        std::vector<char> reached(static_cast<std::size_t>(rows));
        for (Index row = from.begin; row < from.end; ++row) reached[static_cast<std::size_t>(row)] = 1;
        for (Index layer = 0; layer < layers; ++layer) {
            const std::vector<char> before = reached;
            each(whole.heads, rows, rows, [&](Site at) {
                if (whole.mask.allows(at) && before[static_cast<std::size_t>(at.key)] != 0)
                    reached[static_cast<std::size_t>(at.query)] = 1;
            });
        }
        RC_ASSERT(reachable(whole.mask, from, rows, {.layers = layers, .heads = whole.heads}) == reached);
        const Range to = part(rows);
        const bool expected =
            std::any_of(reached.begin() + to.begin, reached.begin() + to.end, [](char c) { return c != 0; });
        RC_ASSERT(reaches(whole.mask, from, to, {.layers = layers, .heads = whole.heads, .rows = rows}) == expected);
    });
}

}  // namespace mask_properties
