#include <doctest/doctest.h>

#include <tessera/core/leaf_ref.hpp>
#include <vector>

namespace core_visit {
using namespace tessera;

namespace {
struct Part {
    Parameter<2, 3> weight;
    Parameter<2> bias;
    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};
struct Whole {
    Parameter<4> front;
    std::vector<Part> parts{2};
    static void visit(auto& self, auto&& f) {
        f("front", self.front);
        visit_list("parts", self.parts, f);
    }
};
static_assert(Leaf<Parameter<2, 3>>);
}  // namespace

TEST_CASE("a walk names every parameter once, in order of declaration") {
    Whole whole;
    std::vector<std::string> paths;
    for_each_parameter(whole, [&](const std::string& path, auto& leaf) {
        paths.push_back(path);
        CHECK(!leaf.is_set());
        leaf.fill(1);
    });
    CHECK(paths ==
          std::vector<std::string>{"front", "parts.0.weight", "parts.0.bias", "parts.1.weight", "parts.1.bias"});
    CHECK(parameter_count(whole) == 4 + 2 * (6 + 2));
    CHECK(parameter_bytes(whole) == 4 * parameter_count(whole));
    const Whole& constant = whole;
    CHECK(parameter_bytes(constant) == 80);
}

TEST_CASE("rows of a parameter are written and read") {
    Parameter<2, 3> p;
    p.allocate();
    const float rows[] = {1, 2, 3, 4, 5, 6};
    p.write(1, rows + 3, 1);
    p.write(0, rows, 1);
    float out[3];
    p.read(1, out);
    CHECK(out[2] == 6);
    CHECK(p.view()(0, 1) == 2);
    CHECK(Parameter<0>().is_set());
}

}  // namespace core_visit
