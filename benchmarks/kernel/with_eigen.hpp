// Attention as one writes it with a library of matrices.
#pragma once
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 on the AVX-512 intrinsics that Eigen calls
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Dense>
#include <cmath>
#include <tessera/kernel/parallel.hpp>
#include <tessera/mask/mask.hpp>

namespace tessera::benchmark {

/// All scores of a head at once, mask or no mask.
/// shape   q [T, H·d], k, v [S, H·d] → out [T, H·d]
template <Mask M>
void attend_with_eigen(float* out, const float* q, const float* k, const float* v, Index heads, Index queries,
                       Index keys, Index dim, const M& mask) {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using Head = Eigen::Map<Matrix, 0, Eigen::OuterStride<>>;
    using ConstHead = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
    const float scale = 1 / std::sqrt(static_cast<float>(dim));
    kernel::parallel_for_dynamic(heads, [&](Index h) {
        const Eigen::OuterStride<> stride(heads * dim);
        const ConstHead q_head(q + h * dim, queries, dim, stride), k_head(k + h * dim, keys, dim, stride),
            v_head(v + h * dim, keys, dim, stride);
        Matrix scores = scale * (q_head * k_head.transpose());
        for (Index i = 0; i < queries; ++i)
            for (Index j = 0; j < keys; j += 64) {
                const Range some{j, std::min(j + 64, keys)};
                const auto seen = visible_bits(mask, h, i, some);
                for (Index key = some.begin; key < some.end; ++key)
                    if ((seen >> (key - j) & 1) == 0) scores(i, key) = -1e30f;
            }
        scores.colwise() -= scores.rowwise().maxCoeff().eval();
        scores = scores.array().exp();
        Head(out + h * dim, queries, dim, stride).noalias() =
            scores.rowwise().sum().cwiseInverse().asDiagonal() * (scores * v_head);
    });
}

}  // namespace tessera::benchmark
