#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/reference/linear.hpp>

#include "support/allocations.hpp"
#include "support/stored.hpp"

namespace kernel_matmul_matmul {
using namespace tessera;

namespace {

struct Problem {
    Index rows, out, in;
    Tensor<float, dyn, dyn> x, weight, residual;
    Tensor<float, dyn> bias;

    Problem(Index m, Index n, Index k)
        : rows(m), out(n), in(k), x({m, k}), weight({n, k}), residual({m, n}), bias({n}) {
        std::mt19937 random(static_cast<unsigned>(m * 10007 + n * 101 + k));
        // Evenly from −2 to 2: with clang++ a normal_distribution of libstdc++ takes longer than the products.
        const auto next = [&] { return static_cast<float>(random()) * 0x1p-30f - 2.0f; };
        for (auto* t : {&x, &weight, &residual})
            for (float& value : t->view()) value = next();
        for (float& value : bias.view()) value = next();
    }

    kernel::PackedB panels(DType stored) const {
        kernel::PackedB p(out, in, stored);
        p.write(0, weight.data(), out);
        return p;
    }
    /// The weights as `stored` keeps them.
    Tensor<float, dyn, dyn> rounded(DType stored) const {
        auto copy = weight;
        test::round_as(stored, copy.data(), out, in);
        return copy;
    }
};

/// How far y[row, column] may be from the sum in double: each of K + 5 roundings (K terms, scale, bias, residual, and that of
/// the weights that are compared with) moves a partial sum, which is no larger than Σ|x·w| + |bias|, by half an ulp; the slope of every activation is below 1.2, its own error 2e-7·max(1,
/// |y|).
double tolerance(const Problem& p, const Tensor<float, dyn, dyn>& weight, Index row, Index column, double y) {
    double size = std::abs(double{p.bias(column)});
    for (Index k = 0; k < p.in; ++k) size += std::abs(double{p.x(row, k)} * double{weight(column, k)});
    const double half_ulp = 0x1p-24;
    return 1.2 * half_ulp * static_cast<double>(p.in + 5) * size + 4e-7 * std::max(1.0, std::abs(y)) +
           half_ulp * 4 * std::abs(double{p.residual(row, column)});
}

/// The largest |ours − reference| / tolerance of one product.
double worst(const Problem& p, DType stored, Activation activation, bool bias, bool residual) {
    const auto weight = p.rounded(stored);
    const auto panels = p.panels(stored);
    Tensor<float, dyn, dyn> expected({p.rows, p.out}), found({p.rows, p.out});
    reference::linear(expected, p.x, weight, bias ? p.bias.view() : View<const float, dyn>{}, activation,
                      residual ? p.residual.view() : View<const float, dyn, dyn>{});
    kernel::gemm(found.data(), p.out, p.x.data(), p.in, p.rows, panels,
                 {.bias = bias ? p.bias.data() : nullptr,
                  .activation = activation,
                  .residual = residual ? p.residual.data() : nullptr,
                  .residual_stride = p.out});
    double largest = 0;
    for (Index r = 0; r < p.rows; ++r)
        for (Index c = 0; c < p.out; ++c) {
            const double error = std::abs(double{found(r, c)} - double{expected(r, c)});
            const double ratio = error / tolerance(p, weight, r, c, double{expected(r, c)});
            if (!(ratio <= largest)) largest = ratio;
        }
    return largest;
}

constexpr Activation activations[] = {Activation::none, Activation::relu, Activation::gelu, Activation::gelu_tanh,
                                      Activation::quick_gelu};
}  // namespace

TEST_CASE("gemm equals the reference at odd sizes") {
    for (const Index rows : {0, 1, 2, 7, 8, 9, 33, 257})
        for (const Index out : {1, 7, 16, 33, 48, 49, 97, 257})
            for (const Index in : {1, 2, 7, 33, 257}) {
                const Problem p(rows, out, in);
                for (const DType stored : test::weight_dtypes) {
                    CAPTURE(rows);
                    CAPTURE(out);
                    CAPTURE(in);
                    CAPTURE(int(stored));
                    CHECK(worst(p, stored, Activation::none, true, true) <= 1);
                }
            }
}

TEST_CASE("gemm takes many inputs in several passes") {
    for (const Index rows : {1, 5, 16, 17, 40, 390})
        for (const DType stored : test::weight_dtypes) {
            CAPTURE(rows);
            CAPTURE(int(stored));
            CHECK(worst(Problem(rows, 259, 4999), stored, Activation::none, true, true) <= 1);
        }
}

TEST_CASE("every activation with and without bias and residual") {
    const Problem p(19, 83, 24);
    for (const Activation activation : activations)
        for (const bool bias : {false, true})
            for (const bool residual : {false, true}) {
                CAPTURE(name(activation));
                CHECK(worst(p, DType::f32, activation, bias, residual) <= 1);
            }
}

TEST_CASE("rows keep their stride and what lies between them") {
    const Problem p(21, 35, 29);
    const auto panels = p.panels(DType::f32);
    Tensor<float, dyn, dyn> plain({21, 35}), wide_x({21, 64}), wide_y({21, 50});
    kernel::gemm(plain.data(), 35, p.x.data(), 29, 21, panels);
    for (Index r = 0; r < 21; ++r)
        for (Index k = 0; k < 64; ++k) wide_x(r, k) = k < 29 ? p.x(r, k) : std::nanf("");
    for (float& value : wide_y.view()) value = -1;
    kernel::gemm(wide_y.data(), 50, wide_x.data(), 64, 21, panels);
    for (Index r = 0; r < 21; ++r)
        for (Index c = 0; c < 50; ++c) CHECK(wide_y(r, c) == (c < 35 ? plain(r, c) : -1.0f));
}

TEST_CASE("the residual may be the output") {
    for (const Index in : {20, 4000}) {
        const Problem p(30, 70, in);
        const auto panels = p.panels(DType::f32);
        const Tensor<float, dyn, dyn>& residual = p.residual;
        Tensor<float, dyn, dyn> apart({30, 70}), in_place = residual;
        kernel::gemm(apart.data(), 70, p.x.data(), in, 30, panels,
                     {.residual = residual.data(), .residual_stride = 70});
        kernel::gemm(in_place.data(), 70, p.x.data(), in, 30, panels,
                     {.residual = in_place.data(), .residual_stride = 70});
        for (Index i = 0; i < apart.size(); ++i) CHECK(apart.data()[i] == in_place.data()[i]);
    }
}

TEST_CASE(
    "weights of fewer bits give the bits of the rounded weights in f32; of i8 without digits, times their scale") {
    for (const DType stored : {DType::bf16, DType::f16, DType::i8})
        for (const Index rows : {1, 4, 11, 40}) {
            if (stored == DType::i8 && kernel::has_quad_dot) continue;  // see below
            Problem p(rows, 100, 1333);
            if (stored == DType::i8)  // whole numbers of a scale that is 1
                for (Index i = 0; i < p.weight.size(); ++i)
                    p.weight.data()[i] = i % p.in == 5 ? 127.0f : std::nearbyint(10 * p.weight.data()[i]);
            kernel::PackedB rounded(100, 1333, DType::f32);
            rounded.write(0, p.rounded(stored).data(), 100);
            Tensor<float, dyn, dyn> a({rows, 100}), b({rows, 100});
            kernel::gemm(a.data(), 100, p.x.data(), 1333, rows, p.panels(stored));
            kernel::gemm(b.data(), 100, p.x.data(), 1333, rows, rounded);
            bool same = true;
            for (Index i = 0; i < a.size(); ++i) same = same && a.data()[i] == b.data()[i];
            CAPTURE(rows);
            CAPTURE(int(stored));
            CHECK(same);
        }
}

TEST_CASE("i8 weights: rows whose numbers differ by many powers of two, as digits or not") {
    for (const Index rows : {1, 2, 3, 8, 9})
        for (const Index in : {1, 5, 300, 2049, 17000}) {  // the last in more passes than one row's digits are kept of
            Problem p(rows, 55, in);
            for (Index r = 0; r < rows; ++r)
                for (Index k = 0; k < in; ++k)
                    p.x(r, k) *= std::ldexp(1.0f, static_cast<int>((r * 13 + k * 7) % 40) - 30);
            const auto weight = p.rounded(DType::i8);
            Tensor<float, dyn, dyn> y({rows, 55});
            kernel::gemm(y.data(), 55, p.x.data(), in, rows, p.panels(DType::i8));
            double worst = 0;
            for (Index r = 0; r < rows; ++r)
                for (Index c = 0; c < 55; ++c) {
                    double sum = 0, size = 0, weights = 0, largest = 0;
                    for (Index k = 0; k < in; ++k) {
                        const double x{p.x(r, k)}, w{weight(c, k)};
                        sum += x * w;
                        size += std::abs(x * w);
                        weights += std::abs(w);
                        largest = std::max(largest, std::abs(x));
                    }
                    // ¾ of what digits count, or a rounding for each term; of passes three digits and their sums are rounded.
                    const double terms = kernel::has_quad_dot ? 0 : static_cast<double>(in);
                    const double digits = kernel::has_quad_dot ? 1.52 * largest * weights : 0;
                    const double passes = 7 * std::ceil(static_cast<double>(in) / 2048);
                    const double bound = 0x1p-24 * (digits + (terms + passes + 4) * size);
                    const double ratio = std::abs(double{y(r, c)} - sum) / bound;
                    if (!(ratio <= worst)) worst = ratio;
                }
            CAPTURE(rows);
            CAPTURE(in);
            CHECK(worst <= 1);
        }
}

TEST_CASE("i8 weights: rows of zeros, of very small and of infinite numbers") {
    for (const Index rows : {1, 2, 5}) {
        Problem p(rows, 50, 70);
        const auto panels = p.panels(DType::i8);
        const auto weight = p.rounded(DType::i8);
        Tensor<float, dyn, dyn> y({rows, 50});
        const auto product = [&] { kernel::gemm(y.data(), 50, p.x.data(), 70, rows, panels); };
        for (float& x : p.x.view()) x = 0;
        product();
        for (const float value : y.view()) CHECK(value == 0);
        for (const float tiny : {0x1p-140f, 0x1p-110f, 0x1p-90f, 0x1p90f}) {
            for (float& x : p.x.view()) x = tiny;
            product();
            const double bound =
                tiny < 0x1p-126f ? 0x1p-127 : 80 * 0x1p-24 * double{tiny};  // half of the smallest unit
            for (Index r = 0; r < rows; ++r)
                for (Index c = 0; c < 50; ++c) {
                    double sum = 0, size = 0;
                    for (Index k = 0; k < 70; ++k) sum += double{tiny} * double{weight(c, k)};
                    for (Index k = 0; k < 70; ++k) size += std::abs(double{weight(c, k)});
                    CHECK(std::abs(double{y(r, c)} - sum) <= size * bound);
                }
        }
        for (const float wrong : {INFINITY, -INFINITY, NAN})
            for (const Index place : {3, 69}) {  // in a whole vector, and in the last lanes
                for (float& x : p.x.view()) x = 1;
                p.x(rows - 1, place) = wrong;
                product();
                for (Index c = 0; c < 50; ++c)
                    CHECK((kernel::has_quad_dot ? std::isnan(y(rows - 1, c)) : !std::isfinite(y(rows - 1, c))));
                for (Index r = 0; r < rows - 1; ++r)
                    for (Index c = 0; c < 50; ++c) CHECK(std::isfinite(y(r, c)));
            }
    }
}

TEST_CASE("bf16 activations: the f32 product of what they are, to the bit where the processor has no dot products") {
    for (const Index rows : {1, 2, 3, 5, 6, 8, 13, 40})
        for (const Index out : {1, 17, 50})
            for (const Index in : {1, 2, 7, 33, 3101}) {
                const Problem p(rows, out, in);
                const auto panels = p.panels(DType::bf16);
                const auto weight = p.rounded(DType::bf16);
                Buffer<bf16> x(rows * in);
                kernel::to_bf16(x.data(), in, p.x.data(), in, rows, in);
                Tensor<float, dyn, dyn> rounded({rows, in}), expected({rows, out}), found({rows, out});
                bool same = true;
                for (Index i = 0; i < x.size(); ++i) {
                    rounded.data()[i] = to_float(x[i]);
                    same = same && x[i] == tessera::to_bf16(p.x.data()[i]);
                }
                CHECK(same);
                kernel::gemm(expected.data(), out, rounded.data(), in, rows, panels, {.bias = p.bias.data()});
                kernel::gemm(found.data(), out, x.data(), in, rows, panels, {.bias = p.bias.data()});
                double worst = 0;
                for (Index r = 0; r < rows; ++r)
                    for (Index c = 0; c < out; ++c) {
                        double size = std::abs(double{p.bias(c)});
                        for (Index k = 0; k < in; ++k) size += std::abs(double{rounded(r, k)} * double{weight(c, k)});
                        const double bound = kernel::has_dot ? 0x1p-23 * static_cast<double>(in + 3) * size : 0.0;
                        const double over = std::abs(double{found(r, c)} - double{expected(r, c)}) - bound;
                        if (!(over <= worst)) worst = over;
                    }
                CAPTURE(rows);
                CAPTURE(out);
                CAPTURE(in);
                CHECK(worst <= 0);
            }
}

TEST_CASE("a row has the same bits whatever rows are beside it") {
    const Problem p(67, 259, 3100);
    for (const DType stored : test::weight_dtypes) {
        const auto panels = p.panels(stored);
        for (Index rows = 2; rows <= 8; ++rows) {
            Tensor<float, dyn, dyn> some({rows, 259}), last({1, 259});
            kernel::gemm(some.data(), 259, p.x.data(), p.in, rows, panels);
            kernel::gemm(last.data(), 259, p.x.data() + (rows - 1) * p.in, p.in, 1, panels);
            CAPTURE(rows);
            CHECK(std::equal(last.data(), last.data() + 259, some.data() + (rows - 1) * 259));
        }
        Tensor<float, dyn, dyn> all({67, 259}), one({1, 259});
        kernel::gemm(all.data(), 259, p.x.data(), p.in, 67, panels);
        for (Index r = 0; r < 67; ++r) {
            kernel::gemm(one.data(), 259, p.x.data() + r * p.in, p.in, 1, panels);
            bool same = true;
            for (Index c = 0; c < 259; ++c) same = same && one(0, c) == all(r, c);
            CHECK(same);
        }
    }
}

#if defined(_OPENMP)
TEST_CASE("the same bits at any number of threads") {
    const int before = omp_get_max_threads();
    for (const Index rows : {1, 9, 130, 400})
        for (const DType stored : test::weight_dtypes) {
            const Problem p(rows, 331, 2500);
            const auto panels = p.panels(stored);
            Tensor<float, dyn, dyn> one({rows, 331}), more({rows, 331});
            omp_set_num_threads(1);
            kernel::gemm(one.data(), 331, p.x.data(), p.in, rows, panels, {.activation = Activation::gelu});
            for (const int threads : {2, 3}) {
                omp_set_num_threads(threads);
                kernel::gemm(more.data(), 331, p.x.data(), p.in, rows, panels, {.activation = Activation::gelu});
                bool same = true;
                for (Index i = 0; i < one.size(); ++i) same = same && one.data()[i] == more.data()[i];
                CHECK(same);
            }
        }
    omp_set_num_threads(before);
}
#endif

TEST_CASE("gemm allocates nothing") {
    for (const Index rows : {1, 13, 300})
        for (const DType stored : test::weight_dtypes) {
            const Problem p(rows, 130, 1600);
            const auto panels = p.panels(stored);
            Tensor<float, dyn, dyn> y({rows, 130});
            const Index before = test::allocations();
            kernel::gemm(y.data(), 130, p.x.data(), p.in, rows, panels, {.bias = p.bias.data()});
            CHECK(test::allocations() == before);
        }
}

}  // namespace kernel_matmul_matmul
