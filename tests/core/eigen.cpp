#include <doctest/doctest.h>

#include <tessera/core/eigen.hpp>
#include <tessera/core/tensor.hpp>

namespace core_eigen {
using namespace tessera;

TEST_CASE("a view and its Eigen map share memory, with the static sizes kept") {
    Tensor<float, dyn, 3> t({2, 3}, {1, 2, 3, 4, 5, 6});
    auto map = to_eigen(t.view());
    static_assert(decltype(map)::ColsAtCompileTime == 3 && decltype(map)::RowsAtCompileTime == Eigen::Dynamic);
    CHECK(map(1, 0) == 4);
    map(1, 2) = 60;
    CHECK(t(1, 2) == 60);
    CHECK((map * Eigen::Vector3f(1, 1, 1))(0) == 6);

    const auto& fixed = t;
    static_assert(!std::is_assignable_v<decltype(to_eigen(fixed.view())(0, 0)), float>);
    CHECK(to_eigen(fixed.view()).sum() == 1 + 2 + 3 + 4 + 5 + 60);
}

TEST_CASE("an Eigen matrix is rows of a view, with nothing copied") {
    Eigen::Matrix<float, Eigen::Dynamic, 4, Eigen::RowMajor> m(2, 4);
    m << 1, 2, 3, 4, 5, 6, 7, 8;
    auto rows = from_eigen<4>(m);
    CHECK(rows(1, 1) == 6);
    rows(0, 3) = 40;
    CHECK(m(0, 3) == 40);
    const auto& fixed = m;
    ConstRows<4> seen = from_eigen<4>(fixed);
    CHECK(seen.data() == m.data());

    Eigen::VectorXf column(3);
    column << 1, 2, 3;
    CHECK(from_eigen<1>(column)(2, 0) == 3);
}

TEST_CASE("a view of one column maps to a vector") {
    Tensor<float, dyn, 1> t({3, 1}, {1, 2, 3});
    CHECK(to_eigen(t.view()).sum() == 6);
}

}  // namespace core_eigen
