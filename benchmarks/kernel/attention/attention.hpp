// What the programs that time attention share: sizes, operands, what is told of a mask, and attention as one writes it
// with a library of matrices.
#pragma once
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 on the AVX-512 intrinsics that Eigen calls
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Dense>
#include <cmath>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/study/density.hpp>

#include "support/run.hpp"

namespace tessera::bench {

struct Sizes {
    Index heads, queries, keys, dim;

    Index width() const { return heads * dim; }
    /// Of scores and their product with the values, everything visible.
    double flops() const { return 4.0 * static_cast<double>(width()) * static_cast<double>(queries * keys); }
    std::string text() const {
        return std::to_string(heads) + "x" + std::to_string(queries) + "x" + std::to_string(keys) + "x" +
               std::to_string(dim);
    }
    kernel::AttentionShape rows() const {
        return {.heads = heads,
                .queries = queries,
                .keys = keys,
                .dim = dim,
                .q_stride = width(),
                .k_stride = width(),
                .v_stride = width(),
                .out_stride = width(),
                .scale = 1 / std::sqrt(static_cast<float>(dim))};
    }
};

/// shape   q [T, H·d], k, v [S, H·d] → out [T, H·d]
template <class T = float>
struct Operands {
    Tensor<T, dyn, dyn> q, k, v;
    Tensor<float, dyn, dyn> out;
    explicit Operands(const Sizes& s) : q({s.queries, s.width()}), k({s.keys, s.width()}), v(k), out(q.extents()) {
        const float* number = numbers(q.size() + k.size() + v.size());
        for (auto* x : {&q, &k, &v})
            for (T& value : x->view())
                if constexpr (std::same_as<T, bf16>)
                    value = to_bf16(*number++);
                else
                    value = *number++;
    }
};

template <class T>
void attend(Operands<T>& o, const Sizes& s, const Mask auto& mask, Scratch& scratch) {
    kernel::attend(o.out.data(), o.q.data(), o.k.data(), o.v.data(), s.rows(), mask, scratch);
}

/// One repetition of attention: `measure`, and what there is to see under the mask.
template <class Call>
void measure_attention(State& state, const Sizes& s, const Density& mask, std::optional<double> bytes,
                       const Call& call) {
    const double time = measure(state, {.flops = mask.share() * s.flops(), .bytes = bytes}, call);
    state.counters["dense GF/s"] = 1e-9 * s.flops() / time;
    state.counters["visible"] = mask.share();
    state.counters["live"] = mask.live_share();
}

/// All scores of a head at once, mask or no mask.
void attend_with_eigen(Operands<>& o, const Sizes& s, const Mask auto& mask) {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using Head = Eigen::Map<Matrix, 0, Eigen::OuterStride<>>;
    const float scale = 1 / std::sqrt(static_cast<float>(s.dim));
    kernel::parallel_for_dynamic(s.heads, [&](Index h) {
        const auto head = [&](Tensor<float, dyn, dyn>& x) {
            return Head(x.data() + h * s.dim, x.extent(0), s.dim, Eigen::OuterStride<>(s.width()));
        };
        Matrix scores = scale * (head(o.q) * head(o.k).transpose());
        for (Index i = 0; i < s.queries; ++i)
            for (Index j = 0; j < s.keys; j += 64) {
                const Range some{j, std::min(j + 64, s.keys)};
                const auto seen = masks::bits(mask, h, i, some);
                for (Index key = some.begin; key < some.end; ++key)
                    if ((seen >> (key - j) & 1) == 0) scores(i, key) = -1e30f;
            }
        scores.colwise() -= scores.rowwise().maxCoeff().eval();
        scores = scores.array().exp();
        head(o.out).noalias() = scores.rowwise().sum().cwiseInverse().asDiagonal() * (scores * head(o.v));
    });
}

}  // namespace tessera::bench
