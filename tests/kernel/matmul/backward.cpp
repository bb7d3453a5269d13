#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/reference/linear.hpp>
#include <vector>

#include "support/allocations.hpp"
#include "support/stored.hpp"

namespace kernel_matmul_backward {
using namespace tessera;

namespace {

using Matrix = Tensor<float, dyn, dyn>;

struct Problem {
    Index rows, out, in;
    Matrix dy, x, weight, dw;
    Tensor<float, dyn> db;

    Problem(Index m, Index n, Index k)
        : rows(m), out(n), in(k), dy({m, n}), x({m, k}), weight({n, k}), dw({n, k}), db({n}) {
        std::mt19937 random(static_cast<unsigned>(m * 10007 + n * 101 + k));
        std::normal_distribution<float> normal;
        for (auto* t : {&dy, &x, &weight, &dw})
            for (float& value : t->view()) value = normal(random);
        for (float& value : db.view()) value = normal(random);
    }
    /// dy rounded, in rows that are `stride` apart; between them NaN.
    Buffer<bf16> rounded_dy(Index stride) const {
        Buffer<bf16> rounded(rows * stride);
        std::fill_n(rounded.data(), rounded.size(), to_bf16(std::nanf("")));
        kernel::to_bf16(rounded.data(), stride, dy.data(), out, rows, out);
        return rounded;
    }
    kernel::PackedB panels(DType stored) const {
        kernel::PackedB p(out, in, stored);
        p.write(0, weight.data(), out);
        return p;
    }
};

/// The largest |found − expected| in units of (terms + 2)·½ulp·size, which bounds the error of a sum of so many terms whose
/// magnitudes add up to `size`.
template <class Size>
double worst(const Matrix& found, const Matrix& expected, Index terms, const Size& size) {
    double largest = 0;
    for (Index r = 0; r < found.extent(0); ++r)
        for (Index c = 0; c < found.extent(1); ++c) {
            const double bound = 0x1p-24 * static_cast<double>(terms + 2) * size(r, c);
            const double ratio = std::abs(double{found(r, c)} - double{expected(r, c)}) / bound;
            if (!(ratio <= largest)) largest = ratio;
        }
    return largest;
}

constexpr Index sizes[][3] = {{1, 1, 1},   {2, 7, 33},    {7, 33, 9},    {8, 48, 16},    {33, 17, 257},
                              {40, 97, 2}, {9, 1100, 31}, {257, 49, 97}, {600, 100, 35}, {1030, 7, 19}};

bool same(const Matrix& a, const Matrix& b) {
    bool equal = true;
    for (Index i = 0; i < a.size(); ++i) equal = equal && a.data()[i] == b.data()[i];
    return equal;
}

}  // namespace

TEST_CASE("the input's gradient equals the reference, alone and added") {
    for (const auto& size_of : sizes)
        for (const DType stored : test::weight_dtypes) {
            const Problem p(size_of[0], size_of[1], size_of[2]);
            CAPTURE(p.rows);
            CAPTURE(p.out);
            CAPTURE(p.in);
            CAPTURE(int(stored));
            Matrix weight = p.weight;
            test::round_as(stored, weight.data(), p.out, p.in);
            Matrix expected({p.rows, p.in}), found({p.rows, p.in}), added = p.x;
            reference::input_gradient(expected, p.dy, weight);
            kernel::input_gradient(found.data(), p.in, p.dy.data(), p.out, p.rows, p.panels(stored));
            const auto size = [&](Index r, Index k) {
                double sum = 0;
                for (Index n = 0; n < p.out; ++n) sum += std::abs(double{p.dy(r, n)} * double{weight(n, k)});
                return sum;
            };
            CHECK(worst(found, expected, p.out, size) <= 1);
            kernel::input_gradient(added.data(), p.in, p.dy.data(), p.out, p.rows, p.panels(stored), true);
            for (Index i = 0; i < found.size(); ++i) found.data()[i] += p.x.data()[i];
            CHECK(same(added, found));
        }
}

TEST_CASE(
    "the input's gradient in bf16: that of the rounded rows, to the bit where the processor has no dot products") {
    constexpr Index more[][3] = {{1, 2, 17}, {3, 31, 33}, {40, 3101, 50}, {300, 2300, 100}};
    std::vector<std::array<Index, 3>> all;
    for (const auto& s : sizes) all.push_back({s[0], s[1], s[2]});
    for (const auto& s : more) all.push_back({s[0], s[1], s[2]});
    for (const auto& [rows, out, in] : all) {
        const Problem p(rows, out, in);
        CAPTURE(p.rows);
        CAPTURE(p.out);
        CAPTURE(p.in);
        const auto panels = p.panels(DType::bf16);
        const Index wide_out = p.out + 3, wide_in = p.in + 5;
        const Buffer<bf16> dy = p.rounded_dy(wide_out);
        Matrix weight = p.weight, rounded({p.rows, p.out}), expected({p.rows, p.in}), exact({p.rows, p.in});
        Matrix found({p.rows, wide_in});
        test::round_as(DType::bf16, weight.data(), p.out, p.in);
        for (Index r = 0; r < p.rows; ++r)
            for (Index n = 0; n < p.out; ++n) rounded(r, n) = to_float(dy[r * wide_out + n]);
        for (float& value : found.view()) value = 7;
        kernel::input_gradient(expected.data(), p.in, rounded.data(), p.out, p.rows, panels);
        reference::input_gradient(exact, p.dy, weight);
        kernel::input_gradient(found.data(), wide_in, dy.data(), wide_out, p.rows, panels);
        double from_rounded = 0, from_exact = 0;
        bool apart = true;
        for (Index r = 0; r < p.rows; ++r) {
            for (Index k = 0; k < p.in; ++k) {
                double size = 0;
                for (Index n = 0; n < p.out; ++n) size += std::abs(double{p.dy(r, n)} * double{weight(n, k)});
                // A number of dy is off by at most 2⁻⁸ of itself (bf16 has 8 bits), weights are exact; a dot product rounds each sum, and cuts bits off.
                const double sums = 0x1p-23 * static_cast<double>(p.out + 3) * size * (1 + 0x1p-8);
                const double of = double{found(r, k)};
                const auto worse = [](double& worst, double error) {
                    if (!(error <= worst)) worst = error;
                };
                worse(from_rounded, std::abs(of - double{expected(r, k)}) - (kernel::has_dot ? sums : 0.0));
                worse(from_exact, std::abs(of - double{exact(r, k)}) - (sums + 0x1p-8 * size));
            }
            for (Index k = p.in; k < wide_in; ++k) apart = apart && found(r, k) == 7;
        }
        CHECK(from_rounded <= 0);
        CHECK(from_exact <= 0);
        CHECK(apart);
        Matrix added = p.x, one({1, p.in});
        kernel::input_gradient(added.data(), p.in, dy.data(), wide_out, p.rows, panels, true);
        bool sum = true, alone = true;
        for (Index r = 0; r < p.rows; ++r)
            for (Index k = 0; k < p.in; ++k) sum = sum && added(r, k) == p.x(r, k) + found(r, k);
        CHECK(sum);
        kernel::input_gradient(one.data(), p.in, dy.data() + (p.rows - 1) * wide_out, wide_out, 1, panels);
        for (Index k = 0; k < p.in; ++k) alone = alone && one(0, k) == found(p.rows - 1, k);
        CHECK(alone);
        kernel::input_gradient(added.data(), p.in, dy.data(), wide_out, 0, panels);
        CHECK(added(0, 0) == p.x(0, 0) + found(0, 0));
    }
}

TEST_CASE("the gradients of weight and bias equal the reference, and are added") {
    for (const auto& size_of : sizes) {
        const Problem p(size_of[0], size_of[1], size_of[2]);
        CAPTURE(p.rows);
        CAPTURE(p.out);
        CAPTURE(p.in);
        Matrix expected = p.dw, found = p.dw;
        reference::weight_gradient(expected, p.dy, p.x);
        kernel::weight_gradient(found.data(), p.out, p.in, p.dy.data(), p.out, p.x.data(), p.in, p.rows);
        CHECK(worst(found, expected, p.rows + 1, [&](Index n, Index k) {
                  double sum = std::abs(double{p.dw(n, k)});
                  for (Index r = 0; r < p.rows; ++r) sum += std::abs(double{p.dy(r, n)} * double{p.x(r, k)});
                  return sum;
              }) <= 1);
        Tensor<float, dyn> bias = p.db, bias_found = p.db;
        reference::bias_gradient(bias, p.dy);
        kernel::bias_gradient(bias_found.data(), p.dy.data(), p.out, p.rows, p.out);
        for (Index n = 0; n < p.out; ++n) {
            double sum = std::abs(double{p.db(n)});
            for (Index r = 0; r < p.rows; ++r) sum += std::abs(double{p.dy(r, n)});
            CHECK(std::abs(double{bias(n)} - double{bias_found(n)}) <= 0x1p-24 * static_cast<double>(p.rows + 3) * sum);
        }
    }
}

TEST_CASE("gradients keep strides, and no rows change nothing") {
    const Problem p(21, 35, 29);
    const auto panels = p.panels(DType::f32);
    Matrix wide_dy({21, 40}), wide_x({21, 37}), dx({21, 29}), wide_dx({21, 37}), dw = p.dw, wide_dw = p.dw;
    for (auto* t : {&wide_dy, &wide_x, &wide_dx})
        for (float& value : t->view()) value = std::nanf("");
    for (Index r = 0; r < 21; ++r) {
        for (Index n = 0; n < 35; ++n) wide_dy(r, n) = p.dy(r, n);
        for (Index k = 0; k < 29; ++k) wide_x(r, k) = p.x(r, k);
    }
    kernel::input_gradient(dx.data(), 29, p.dy.data(), 35, 21, panels);
    kernel::input_gradient(wide_dx.data(), 37, wide_dy.data(), 40, 21, panels);
    for (Index r = 0; r < 21; ++r)
        for (Index k = 0; k < 37; ++k) CHECK((k < 29 ? wide_dx(r, k) == dx(r, k) : std::isnan(wide_dx(r, k))));
    kernel::weight_gradient(dw.data(), 35, 29, p.dy.data(), 35, p.x.data(), 29, 21);
    kernel::weight_gradient(wide_dw.data(), 35, 29, wide_dy.data(), 40, wide_x.data(), 37, 21);
    CHECK(same(dw, wide_dw));

    Tensor<float, dyn> db = p.db;
    kernel::input_gradient(dx.data(), 29, p.dy.data(), 35, 0, panels);
    kernel::weight_gradient(wide_dw.data(), 35, 29, p.dy.data(), 35, p.x.data(), 29, 0);
    kernel::bias_gradient(db.data(), p.dy.data(), 35, 0, 35);
    CHECK(same(dw, wide_dw));
    for (Index n = 0; n < 35; ++n) CHECK(db(n) == p.db(n));
}

TEST_CASE("gradients have the same bits at any number of threads, and allocate nothing") {
    const int before = kernel::threads();
    const Problem p(523, 301, 170);
    const Buffer<bf16> rounded = p.rounded_dy(p.out);
    for (const DType stored : test::weight_dtypes) {
        const auto panels = p.panels(stored);
        const bool in_bf16 = stored == DType::bf16;
        Matrix dx[3], dx_bf16[3], dw[3];
        Tensor<float, dyn> db[3];
        for (int i = 0; i < 3; ++i) {
            dx[i] = Matrix({p.rows, p.in}), dx_bf16[i] = dx[i], dw[i] = p.dw, db[i] = p.db;
            kernel::set_threads(i + 1);
            const Index allocated = test::allocations();
            kernel::input_gradient(dx[i].data(), p.in, p.dy.data(), p.out, p.rows, panels);
            if (in_bf16) kernel::input_gradient(dx_bf16[i].data(), p.in, rounded.data(), p.out, p.rows, panels);
            kernel::weight_gradient(dw[i].data(), p.out, p.in, p.dy.data(), p.out, p.x.data(), p.in, p.rows);
            kernel::bias_gradient(db[i].data(), p.dy.data(), p.out, p.rows, p.out);
            CHECK((i > 0 || test::allocations() == allocated));  // starting threads may
            CHECK(same(dx[0], dx[i]));
            CHECK((!in_bf16 || same(dx_bf16[0], dx_bf16[i])));
            CHECK(same(dw[0], dw[i]));
            for (Index n = 0; n < p.out; ++n) CHECK(db[0](n) == db[i](n));
        }
    }
    kernel::set_threads(before);
}

}  // namespace kernel_matmul_backward
