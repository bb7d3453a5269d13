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

/// Looks at a row-major Eigen matrix, map, Ref or block of rows as rows of `Width` numbers.
/// errors  a column-major matrix, a temporary one or another static width does not compile; Errc::option_value for another
///         dynamic width, and for rows that do not lie one after another
template <Index Width, class Expression>
    requires requires(Expression& matrix) { matrix.data(), matrix.outerStride(); }
auto from_eigen(Expression&& matrix) {
    using Matrix = std::remove_cvref_t<Expression>;
    using Number = std::remove_pointer_t<decltype(matrix.data())>;
    static_assert(std::is_lvalue_reference_v<Expression> || !std::is_base_of_v<Eigen::PlainObjectBase<Matrix>, Matrix>,
                  "from_eigen: the matrix is a temporary one, and its numbers would be gone");
    static_assert(Matrix::IsRowMajor || Matrix::ColsAtCompileTime == 1,
                  "from_eigen: the matrix must be row-major (Eigen::RowMajor), or its rows are not contiguous");
    static_assert(Matrix::ColsAtCompileTime == Eigen::Dynamic || Matrix::ColsAtCompileTime == Width,
                  "from_eigen: the matrix has another number of columns");
    if (matrix.cols() != Width)
        throw Error(Errc::option_value, "from_eigen: expected ", Width, " columns, found ", matrix.cols());
    if (matrix.innerStride() != 1 || (Matrix::IsRowMajor && matrix.rows() > 1 && matrix.outerStride() != Width))
        throw Error(Errc::option_value, "from_eigen: expected rows one after another, found strides of ",
                    matrix.outerStride(), " and ", matrix.innerStride());
    return View<Number, dyn, Width>(matrix.data(), {matrix.rows(), matrix.cols()});
}

}  // namespace tessera::inline TESSERA_ISA
