#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/verify.hpp>
#include "support/mask.hpp"

namespace mask_catalog_predicate {
using namespace tessera;
using test::picture;

TEST_CASE("a lambda is a mask") {
    CHECK(picture(Predicate{[](Site at) { return at.key > at.query; }}, 2, 3) == ".##|..#");
    CHECK(picture(Predicate{[](Index query, Index key) { return (query + key) % 2 == 0; }}, 2, 3) == "#.#|.#.");
    constexpr auto odd = Predicate{[](Site at) { return at.key % 2 == 1; }};
    static_assert(odd.allows({0, 0, 1}) && verify(odd & Causal{}, 6, 6, 1));
    CHECK(masks::cover(odd, {0, {0, 1}, {1, 2}}) == Cover::partial);
}

TEST_CASE("a lambda with captures can be assigned") {
    const auto below = [](Index bound) { return Predicate{[bound](Site at) { return at.key < bound; }}; };
    auto mask = below(1);
    using Below = decltype(mask);
    static_assert(Mask<Below> && std::copyable<Below>);
    mask = below(2);
    CHECK(picture(mask, 1, 3) == "##.");
    const Below other = below(3);
    mask = other;
    CHECK(picture(mask, 1, 4) == "###.");
    mask = *&mask;
    CHECK(picture(mask, 1, 4) == "###.");
}

}  // namespace mask_catalog_predicate
