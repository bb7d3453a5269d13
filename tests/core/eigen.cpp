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

TEST_CASE("maps, references and blocks of rows are rows of a view too") {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Matrix m(3, 4);
    for (Eigen::Index i = 0; i < 12; ++i) m.data()[i] = static_cast<float>(i);
    Eigen::Map<Matrix> map(m.data(), 3, 4);
    const Eigen::Map<const Matrix> fixed(m.data(), 3, 4);
    Eigen::Ref<Matrix> ref(m);
    static_assert(std::is_same_v<decltype(from_eigen<4>(map)), Rows<4>>);
    static_assert(std::is_same_v<decltype(from_eigen<4>(fixed)), ConstRows<4>>);
    CHECK(from_eigen<4>(map).data() == m.data());
    CHECK(from_eigen<4>(fixed)(2, 3) == 11);
    CHECK(from_eigen<4>(ref)(1, 0) == 4);
    from_eigen<4>(m.middleRows(1, 2))(1, 0) = 80;
    CHECK(m(2, 0) == 80);
    CHECK(from_eigen<4>(m.row(1)).extent(0) == 1);

    CHECK_THROWS_WITH_AS(from_eigen<3>(map), "[option.value] from_eigen: expected 3 columns, found 4", Error);
    CHECK_THROWS_WITH_AS(from_eigen<2>(m.leftCols(2)),
                         "[option.value] from_eigen: expected rows one after another, found strides of 4 and 1", Error);
}

TEST_CASE("a view of one column maps to a vector") {
    Tensor<float, dyn, 1> t({3, 1}, {1, 2, 3});
    CHECK(to_eigen(t.view()).sum() == 6);
}

}  // namespace core_eigen
