#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>
#include <tessera/study/verify.hpp>

namespace study_verify {
using namespace tessera;

namespace {

/// Causal, but wrong about one kind of question.
struct Liar {
    enum class About { nothing, none, all, exact, key_bounds, full_keys, bits } about = About::nothing;
    constexpr bool allows(Site at) const { return at.key <= at.query; }
    constexpr Cover cover(Tile tile) const {
        if (about == About::none && tile.keys.begin == 3 && tile.queries.end == 5) return Cover::empty;
        if (about == About::all && tile.keys.end == 4 && tile.queries == Range{2, 3}) return Cover::full;
        return Cover::partial;
    }
    constexpr Range key_bounds(Range queries) const { return {0, queries.end - (about == About::key_bounds)}; }
    constexpr Range full_keys(Range queries) const { return {0, queries.begin + 1 + (about == About::full_keys)}; }
    constexpr std::uint64_t bits(Index, Index query, Range keys) const {
        return masks::ones({keys.begin, std::clamp(query + 1, keys.begin, keys.end)}, keys.begin)
               << (about == About::bits && query == 4);
    }
    constexpr bool cover_is_exact() const { return about == About::exact; }
    static constexpr Index heads() { return 1; }
};

}  // namespace

TEST_CASE("a mask that lies is caught, and the tile is named") {
    CHECK(verify(Liar{}, 7, 7));
    const Verdict none = verify(Liar{Liar::About::none}, 7, 7);
    CHECK(none.text() == "cover disagrees with allows: head 0, queries [0, 5) × keys [3, 4) is not empty");
    const Verdict all = verify(Liar{Liar::About::all}, 7, 7);
    CHECK(all.text() == "cover disagrees with allows: head 0, queries [2, 3) × keys [0, 4) is not full");
    const Verdict exact = verify(Liar{Liar::About::exact}, 7, 7);
    CHECK(exact.text() == "cover breaks the promise to be exact: head 0, queries [0, 1) × keys [0, 1) is not partial");
    const Verdict keys = verify(Liar{Liar::About::key_bounds}, 7, 7);
    CHECK(keys.text() == "key_bounds disagrees with allows: head 0, queries [0, 1) see keys outside of [0, 0)");
    const Verdict common = verify(Liar{Liar::About::full_keys}, 7, 7);
    CHECK(common.text() == "full_keys disagrees with allows: head 0, queries [0, 1) do not see all of [0, 2)");
}

TEST_CASE("a mask that lies about the bits of a row is caught") {
    CHECK(verify(Liar{Liar::About::bits}, 7, 7).text() ==
          "bits disagrees with allows: head 0, queries [4, 5) × keys [0, 7)");
}

TEST_CASE("tiles that a mask could have told are counted") {
    const Verdict verdict = verify(Liar{}, 2, 2);
    CHECK(verdict.tiles == 9);
    CHECK(verdict.loose == 6);  // all but query 0 × both keys, both queries × key 1, and the whole: these are mixed
    CHECK(verify(Causal{}, 2, 2).loose == 0);
}

TEST_CASE("every head is looked at") {
    struct SecondHead {
        bool allows(Site at) const { return at.head == 0; }
        Cover cover(Tile) const { return Cover::full; }
    };
    CHECK(verify(SecondHead{}, 3, 3, 1));
    CHECK(verify(SecondHead{}, 3, 3, 2).tile.head == 1);
}

TEST_CASE("with a step, edges lie at its multiples and at the ends") {
    CHECK(verify(Causal{}, 65, 65, 1, 8).tiles == 45 * 45);
    CHECK(verify(Causal{}, 7, 1, 1, 8).tiles == 1);
    CHECK(verify(Causal{}, 0, 5));
    CHECK(verify(Causal{}, 5, 0));
}

}  // namespace study_verify
