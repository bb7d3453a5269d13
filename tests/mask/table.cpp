#include <doctest/doctest.h>

#include <tessera/mask/table.hpp>
#include <vector>

namespace mask_table {
using namespace tessera;

namespace {

/// Counts how many there are.
struct Counted {
    int* count;
    explicit Counted(int& all) : count(&all) { ++*count; }
    Counted(const Counted& other) : count(other.count) { ++*count; }
    ~Counted() { --*count; }
};

}  // namespace

TEST_CASE("values of a variable are borrowed, those of a temporary or a list are owned, by copies too") {
    std::vector<Index> variable{1, 2, 3};
    const Table<Index> borrowed(variable);
    CHECK(borrowed.begin() == variable.data());
    const Table<Index> owned = [] { return Table<Index>(std::vector<Index>{4, 5}); }();
    const Table<Index> copy = [] {
        const Table<Index> list{6, 7, 8};
        return Table<Index>(list);
    }();
    CHECK(std::vector<Index>(owned.begin(), owned.end()) == std::vector<Index>{4, 5});
    CHECK(std::vector<Index>(copy.begin(), copy.end()) == std::vector<Index>{6, 7, 8});
}

TEST_CASE("of values of which one cannot be made nothing is left") {
    int alive = 0;
    const auto make = [&](std::size_t i) {
        if (i == 2) throw Error(Errc::option_value, "the third");
        return Counted(alive);
    };
    CHECK_THROWS_AS(masks::Values<Counted>(4, make), Error);
    CHECK(alive == 0);
    {
        const masks::Values<Counted> two(2, make);
        CHECK(alive == 2);
    }
    CHECK(alive == 0);
}

}  // namespace mask_table
