#include <doctest/doctest.h>

#include <array>
#include <tessera/core/parameter.hpp>

namespace core_parameter {
using namespace tessera;

TEST_CASE("rows are written and read back; before there is memory, that is one sentence") {
    Parameter<2, 3> p;
    std::array<float, 3> row{7, 8, 9}, found{};
    CHECK_FALSE(p.is_set());
    CHECK_THROWS_WITH_AS(p.write(0, row.data(), 1), "[weight.unset] Parameter of 6 numbers: written before allocate()",
                         Error);
    CHECK_THROWS_WITH_AS(p.read(0, found.data()), "[weight.unset] Parameter of 6 numbers: read before allocate()",
                         Error);
    p.fill(1);
    p.write(1, row.data(), 1);
    p.read(1, found.data());
    CHECK(found == row);
    p.read(0, found.data());
    CHECK(found == std::array<float, 3>{1, 1, 1});
    Parameter<0> none;
    none.write(0, row.data(), 0);  // nothing to write to
    CHECK(none.is_set());
}

}  // namespace core_parameter
