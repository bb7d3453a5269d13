#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/matmul/small_gemm.hpp>

namespace kernel_matmul_small_gemm {
using namespace tessera;

namespace {

using kernel::Accumulate;

/// Where the operands lie: strides beyond what is needed, so that what lies between has to stay as it is.
struct Layout {
    Index a_row, a_step, b_step, c_row;
};

/// Compares with sums in double; a sum of n products is off by at most n roundings of Σ|a·b|. What the product must not
/// touch is NaN in a and b, and 77 in c.
void check(Index rows, Index columns, Index steps, const Layout& at, Accumulate accumulate, bool factored) {
    std::mt19937 random(static_cast<unsigned>(rows + 100 * columns + 10000 * steps));
    std::normal_distribution<float> normal;
    const auto size = [](Index count, Index stride) { return std::max<Index>(0, count - 1) * stride; };
    Tensor<float, dyn> a({size(rows, at.a_row) + size(steps, at.a_step) + 1}), b({size(steps, at.b_step) + columns}),
        c({size(rows, at.c_row) + columns}), factor({columns});
    for (auto* x : {&a, &b}) std::fill_n(x->data(), x->size(), NAN);
    std::fill_n(c.data(), c.size(), 77.0f);
    for (Index r = 0; r < rows; ++r)
        for (Index s = 0; s < steps; ++s) a(r * at.a_row + s * at.a_step) = normal(random);
    for (Index s = 0; s < steps; ++s)
        for (Index j = 0; j < columns; ++j) b(s * at.b_step + j) = normal(random);
    for (Index j = 0; j < columns; ++j) factor(j) = normal(random);
    if (accumulate == Accumulate::yes)
        for (Index r = 0; r < rows; ++r)
            for (Index j = 0; j < columns; ++j) c(r * at.c_row + j) = normal(random);
    const auto before = c;
    kernel::small_gemm(c.data(), at.c_row, {a.data(), at.a_row, at.a_step}, {b.data(), at.b_step}, rows, columns, steps,
                       accumulate, factored ? factor.data() : nullptr);
    double worst = 0;
    for (Index i = 0; i < c.size(); ++i) {
        const Index r = i / at.c_row, j = i % at.c_row;
        if (r >= rows || j >= columns) {
            CHECK(c(i) == before(i));
            continue;
        }
        double sum = accumulate == Accumulate::yes ? before(i) * double{factored ? factor(j) : 1.0f} : 0.0;
        double norm = std::abs(sum);
        for (Index s = 0; s < steps; ++s) {
            const double term = double{a(r * at.a_row + s * at.a_step)} * double{b(s * at.b_step + j)};
            sum += term, norm += std::abs(term);
        }
        const double error = std::abs(double{c(i)} - sum), bound = static_cast<double>(2 * steps + 2) * 0x1p-24 * norm;
        if (!(error <= bound)) worst = std::max(worst, bound > 0 ? error / bound : INFINITY);
    }
    CAPTURE(rows);
    CAPTURE(columns);
    CAPTURE(steps);
    CHECK(worst == 0);
}

TEST_CASE("products equal plain sums for every count of rows, columns and steps, wherever the operands lie") {
    for (Index rows = 0; rows <= 28; ++rows)
        for (const Index columns : {Index{0}, Index{1}, kernel::width - 1, kernel::width, kernel::width + 1,
                                    2 * kernel::width, 5 * kernel::width + 3})
            for (const Index steps : {0, 1, 3, 4, 33})
                for (const Accumulate accumulate : {Accumulate::no, Accumulate::yes}) {
                    const bool factored = accumulate == Accumulate::yes && rows % 2 == 0;
                    check(rows, columns, steps, {steps + 5, 1, columns + 2, columns + 3}, accumulate, factored);
                    check(rows, columns, steps, {1, rows + 4, columns + 1, columns}, accumulate, factored);
                    check(rows, columns, steps, {3, 3 * rows + 1, columns, columns + 1}, accumulate, factored);
                }
}

TEST_CASE("a sum does not depend on which rows it is computed with") {
    constexpr Index rows = 23, columns = 2 * kernel::width, steps = 50;
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    Tensor<float, dyn, dyn> a({rows, steps}), b({steps, columns}), c({rows, columns}), one({1, columns});
    for (auto* x : {&a, &b})
        for (float& value : x->view()) value = normal(random);
    kernel::small_gemm(c.data(), columns, {a.data(), steps, 1}, {b.data(), columns}, rows, columns, steps,
                       Accumulate::no);
    for (Index r = 0; r < rows; ++r) {
        kernel::small_gemm(one.data(), columns, {&a(r, 0), steps, 1}, {b.data(), columns}, 1, columns, steps,
                           Accumulate::no);
        for (Index j = 0; j < columns; ++j) CHECK(one(0, j) == c(r, j));
    }
}

}  // namespace

}  // namespace kernel_matmul_small_gemm
