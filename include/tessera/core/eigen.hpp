// Views of Eigen matrices, and Eigen maps of views: no copies either way. The only place for Eigen.
#pragma once
#include <Eigen/Core>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {
constexpr int eigen_size(Index extent) { return extent == dyn ? Eigen::Dynamic : static_cast<int>(extent); }
}  // namespace detail

/// The row-major Eigen matrix that looks at the same memory as a view of rank 2.
template <class T, Index Rows, Index Columns>
using EigenMatrix = Eigen::Matrix<std::remove_const_t<T>, detail::eigen_size(Rows), detail::eigen_size(Columns),
                                  (Columns == 1 && Rows != 1) ? Eigen::ColMajor : Eigen::RowMajor>;

/// Looks at a view as an Eigen matrix; changes go both ways.
/// shape   [Rows, Columns] → matrix of the same static sizes, Eigen::Dynamic for `dyn`
/// cost    a pointer and two sizes
template <class T, Index Rows, Index Columns>
auto to_eigen(View<T, Rows, Columns> view) {
    using Matrix = EigenMatrix<T, Rows, Columns>;
    using Target = std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>;
    return Eigen::Map<Target>(view.data(), view.extent(0), view.extent(1));
}

/// Looks at a row-major Eigen matrix or map as rows of `Width` floats.
/// errors  a column-major matrix or another static width does not compile; a wrong dynamic width is a debug assertion
template <Index Width, class Derived>
auto from_eigen(Eigen::PlainObjectBase<Derived>& matrix) {
    static_assert(Derived::IsRowMajor || Derived::ColsAtCompileTime == 1,
                  "from_eigen: the matrix must be row-major (Eigen::RowMajor), or its rows are not contiguous");
    static_assert(Derived::ColsAtCompileTime == Eigen::Dynamic || Derived::ColsAtCompileTime == Width,
                  "from_eigen: the matrix has another number of columns");
    return View<typename Derived::Scalar, dyn, Width>(matrix.data(), {matrix.rows(), matrix.cols()});
}
template <Index Width, class Derived>
auto from_eigen(const Eigen::PlainObjectBase<Derived>& matrix) {
    static_assert(Derived::IsRowMajor || Derived::ColsAtCompileTime == 1,
                  "from_eigen: the matrix must be row-major (Eigen::RowMajor), or its rows are not contiguous");
    static_assert(Derived::ColsAtCompileTime == Eigen::Dynamic || Derived::ColsAtCompileTime == Width,
                  "from_eigen: the matrix has another number of columns");
    return View<const typename Derived::Scalar, dyn, Width>(matrix.data(), {matrix.rows(), matrix.cols()});
}

}  // namespace tessera::inline TESSERA_ISA
