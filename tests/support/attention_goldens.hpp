// The attention goldens: operands, and the output and the gradients that PyTorch gives in float64, with their masks built
// from the catalogue. TESSERA_GOLDEN_ATTENTION names a folder with more of them than the project holds.
#pragma once
#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <tessera/core/tensor.hpp>
#include <tessera/mask/any.hpp>
#include <tessera/mask/score_mod/additive.hpp>
#include <tessera/mask/score_mod/alibi.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <vector>

#include "support/compare.hpp"

namespace tessera::test {

/// One case. A batch is rows, as everywhere: sequence after sequence, heads side by side.
struct AttentionGolden {
    using Numbers = Tensor<float, dyn, dyn>;

    std::string name;
    Index heads = 0, queries = 0, keys = 0, dim = 0;  // of all sequences together
    double scale = 1;
    Numbers q, k, v, d_out, out, dq, dk, dv;
    Numbers lse;  // [H, T]
    std::optional<AnyMask> mask;
    std::optional<DiagonalBias> bias;
    // T5's bias: the table [buckets, H], its gradient, and the first position of the queries.
    RelativeBuckets buckets;
    Numbers bias_table, d_bias_table;
    Index past = 0;
};

/// Calls f(golden) for every case; returns how many there were.
int for_each_attention_golden(const std::function<void(const AttentionGolden&)>& f);  // support/attention_goldens.cpp

/// As check_close, for log-sum-exps: those of queries that see nothing are −∞.
inline void check_log_sums(std::span<const float> got, std::span<const float> want, double tolerance) {
    std::vector<float> a, b;
    for (std::size_t i = 0; i < want.size(); ++i)
        if (std::isinf(want[i]))
            CHECK(got[i] == want[i]);
        else
            a.push_back(got[i]), b.push_back(want[i]);
    check_close("lse", a, b, tolerance);
}

}  // namespace tessera::test
