#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <tessera/mask/classified.hpp>
#include <tessera/mask/density.hpp>
#include <tessera/mask/flow.hpp>
#include <tessera/mask/parse.hpp>
#include <tessera/mask/verify.hpp>
#include "support/catalogue.hpp"

using namespace tessera;

namespace {

/// Whether `property` holds in thousands of cases, the same ones in each run; what fails is made smaller before it is
/// printed. RC_PARAMS='seed=…' tries others.
template <class Property>
bool holds(const char* what, const Property& property) {
    ::setenv("RC_PARAMS", "seed=20240611 max_success=2000", 0);
    return rc::check(what, property);
}

std::size_t lot(std::size_t count) { return *rc::gen::inRange<std::size_t>(0, count); }
Index size(Index most) { return 1 + static_cast<Index>(lot(static_cast<std::size_t>(most))); }
Range part(Index end) {
    const Index begin = size(end) - 1;
    return {begin, begin + size(end - begin)};
}

/// A composition for a few queries and keys, with what it borrows.
struct Case {
    Index queries = size(12), keys = size(14);
    test::Catalogue catalogue{queries, keys};

    test::Composition composition(int depth = 3) const { return test::compose_by_lot(catalogue, lot, depth); }
};

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
    CHECK(holds("compositions keep their word", [&] {
        const Case it;
        const test::Composition one = it.composition();
        const test::NamedMask& whole = one.whole;
        const Verdict verdict = verify(whole.mask, it.queries, it.keys, whole.heads);
        tiles += verdict.tiles, loose += verdict.loose;
        if (!verdict) RC_FAIL(whole.name + ": " + verdict.text());
        RC_ASSERT(exact(whole.mask) == !whole.text.empty());  // all but those with a lambda inside
        each(whole.heads, it.queries, it.keys, [&](Site at) { RC_ASSERT(whole.mask.allows(at) == expected(one, at)); });
    }));
    CHECK(loose * 50 < tiles);  // and with lambdas inside, hulls and single rows tell all but 2 %
}

TEST_CASE("expressions read back are the masks they were written from") {
    CHECK(holds("expressions read back", [] {
        const Case it;
        const test::NamedMask whole = it.composition().whole;
        RC_PRE(!whole.text.empty());
        const AnyMask read = parsing::MaskReader(whole.text, it.queries, it.keys).whole();
        RC_ASSERT(fits(read, it.queries, it.keys) == fits(whole.mask, it.queries, it.keys));
        each(whole.heads, it.queries, it.keys, [&](Site at) {
            if (read.allows(at) != whole.mask.allows(at)) RC_FAIL(whole.text);
        });
        const Tile tile{0, part(it.queries), part(it.keys)};
        RC_ASSERT(read.cover(tile) == whole.mask.cover(tile));
    }));
}

TEST_CASE("the laws of an algebra of sets") {
    CHECK(holds("laws", [] {
        const Case it;
        const AnyMask a = it.composition(2).whole.mask, b = it.composition(2).whole.mask,
                      c = it.composition(1).whole.mask;
        const Tile tile{static_cast<Index>(lot(2)), part(it.queries), part(it.keys)};
        const auto same = [&](const char* law, const AnyMask& x, const AnyMask& y) {
            RC_LOG(law);
            RC_ASSERT(exact(x) == exact(y));
            if (exact(x)) RC_ASSERT(x.cover(tile) == y.cover(tile));
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
        same("there and back", Shifted{Shifted{a, 2, 3}, -2, -3}, a & ~(QueriesBelow{2} | KeysBelow{3}));
    }));
}

TEST_CASE("class maps and densities count what is allowed") {
    CHECK(holds("class maps and densities", [] {
        const Case it;
        const test::NamedMask whole = it.composition(2).whole;
        const Index rows = size(5), columns = size(5),
                    head = static_cast<Index>(lot(static_cast<std::size_t>(whole.heads)));
        const Classes classes(whole.mask, it.queries, it.keys, head, rows, columns);
        const Density density(whole.mask, it.queries, it.keys, head, rows, columns);
        for (Index y = 0; y < classes.height(); ++y)
            for (Index x = 0; x < classes.width(); ++x) {
                const Range queries{y * rows, std::min((y + 1) * rows, it.queries)};
                const Range keys{x * columns, std::min((x + 1) * columns, it.keys)};
                Index visible = 0;
                for (Index query = queries.begin; query < queries.end; ++query)
                    for (Index key = keys.begin; key < keys.end; ++key)
                        visible += whole.mask.allows({head, query, key});
                const Index area = queries.size() * keys.size();
                const Cover cover = visible == 0 ? Cover::none : visible == area ? Cover::all : Cover::some;
                RC_ASSERT(classes(y, x) == cover);
                RC_ASSERT(density.cover(y, x) == cover);
                RC_ASSERT(density.share(y, x) * static_cast<double>(area) == static_cast<double>(visible));
            }
    }));
}

TEST_CASE("news spreads along the mask and no other way") {
    CHECK(holds("flow", [] {
        const Case it;
        const test::NamedMask whole = it.composition(2).whole;
        const Index rows = it.queries, layers = size(4) - 1;
        const Range from = part(rows);
        // Layer by layer, everything from everything.
        std::vector<char> knows(static_cast<std::size_t>(rows));
        for (Index row = from.begin; row < from.end; ++row) knows[static_cast<std::size_t>(row)] = 1;
        for (Index layer = 0; layer < layers; ++layer) {
            const std::vector<char> before = knows;
            each(whole.heads, rows, rows, [&](Site at) {
                if (whole.mask.allows(at) && before[static_cast<std::size_t>(at.key)] != 0)
                    knows[static_cast<std::size_t>(at.query)] = 1;
            });
        }
        RC_ASSERT(reached(whole.mask, from, rows, layers, whole.heads) == knows);
    }));
}
