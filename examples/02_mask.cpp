// A mask of one's own is a rule in one line. It composes with the others, can be proved about, and is checked.
#include <cstdio>
#include <tessera/study.hpp>

using namespace tessera;

int main() {
    // Everyone sees the first two keys (say, a prompt) and those of their own past that stand on even places.
    constexpr auto even = Predicate{[](Index, Index key) { return key % 2 == 0; }};
    constexpr Mask auto mine = FirstKeys{2} | (Causal{} & even);

    static_assert(mine.allows({.head = 0, .query = 5, .key = 4}));
    static_assert(!mine.allows({.head = 0, .query = 3, .key = 4}), "the future stays hidden");

    for (Index query = 0; query < 8; ++query) {
        for (Index key = 0; key < 8; ++key) std::putchar(mine.allows({0, query, key}) ? '#' : '.');
        std::putchar('\n');
    }
    // What kernels are told about whole tiles has to agree with `allows`; here it is compared everywhere.
    std::puts(verify(mine, 8, 8).text().c_str());
}
