// A mask to look at: which tiles a kernel skips, what that is worth, and where information can get to.
#include <iostream>
#include <tessera/study.hpp>

using namespace tessera;

int main() {
    // 8 learned queries and a text; the text looks back at most 12 places.
    constexpr auto mine = FirstKeys{8} | (Causal{} & Window{12});
    constexpr Range queries{0, 8}, text{8, 64};

    // Proved by the compiler: no text gets to the queries, however many layers there are; and how far information travels.
    static_assert(!reaches(mine, text, queries));
    static_assert(reaches(mine, {8, 9}, {32, 33}, {.layers = 2}) && !reaches(mine, {8, 9}, {33, 34}, {.layers = 2}));

    std::cout << draw(mine, 64, 64, {.side = 16}) << describe(mine, 64, 64, {.tile_queries = 16, .tile_keys = 16});

    // The same from text, as a command line would have it; svg(...) and paint(...) of a figure are files to show around.
    const AnyMask same = parse_mask("prefix 8 | causal & window 12", 64, 64);
    std::cout << "\nthe same from text: " << (bits_of(same, 64, 64) == bits_of(mine, 64, 64) ? "yes" : "no")
              << "\npicture: " << svg(figure(same, 64, 64, "prefix 8 | causal & window 12")).size() / 1000
              << " kB of SVG\n";

    // A rule of which only single scores are known is looked through once, and is as fast as others from then on.
    const BlockMask rule(Predicate{[](Index query, Index key) { return key / 16 <= query / 16; }}, 64, 64, 1, 16, 16);
    std::cout << "blocks skipped: " << rule.map().count(Cover::empty) << ", whole: " << rule.map().count(Cover::full)
              << '\n';
}
