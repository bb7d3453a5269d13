// Products of rows by bf16 weights, in bf16 arithmetic where a scratch says so: forward, run again, and back.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <tessera/kernel/parallel.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/nn/block.hpp>
#include <tessera/nn/embedding.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/tape.hpp>
#include <vector>

#include "support/allocations.hpp"

namespace train_products {
using namespace tessera;

namespace {

constexpr Index count = 37;

template <Index Width>
Tensor<float, dyn, Width> random_rows(unsigned seed) {
    Tensor<float, dyn, Width> x({count, Width});
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& value : x.view()) value = normal(random);
    return x;
}

/// What a tape gives for some rows, and the gradient by them of Σ y·seed.
struct Passed {
    std::vector<float> y, dx, leaves;

    bool operator==(const Passed&) const = default;
};

template <Index In, Index Out>
Passed pass(auto& model, bool learns, Products products, ConstRows<In> x, ConstRows<Out> seed, const auto& run,
            Recompute recompute = Recompute::nothing) {
    Gradients gradients(model, [=](std::string_view) { return learns; });
    Tape tape(gradients, recompute);
    tape.set_products(products);
    const auto rows = tape.rows<In>(x.extent(0));
    std::copy_n(x.data(), x.size(), rows.data());
    tape.watch<In>(rows);
    const auto y = run(rows, tape);
    tape.backward(y.data(), {seed.data(), static_cast<std::size_t>(seed.size())});
    const float* const dx = tape.gradient(rows.data());
    return {
        {y.data(), y.data() + y.size()}, {dx, dx + x.size()}, {gradients.values().begin(), gradients.values().end()}};
}

/// The largest |a − b| in units of what rounding one factor of each product to bf16 makes of a sum of `terms` products whose magnitudes
/// add up to size(row, column): 2⁻⁸ of each; a dot product rounds each sum, and cuts bits off.
template <class Size>
double worst(const std::vector<float>& a, const std::vector<float>& b, Index columns, Index terms, const Size& size) {
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const Index row = static_cast<Index>(i) / columns, column = static_cast<Index>(i) % columns;
        const double bound = (0x1p-8 + 0x1p-22 * static_cast<double>(terms + 3)) * size(row, column);
        const double ratio = std::abs(double{a[i]} - double{b[i]}) / bound;
        if (!(ratio <= largest)) largest = ratio;
    }
    return largest;
}

/// Runs a product [37, 70] → [37, 90] by a frozen bf16 weight both ways.
void check_product(auto& model, const kernel::PackedB& weight, const auto& run) {
    const auto x = random_rows<70>(1);
    const auto dy = random_rows<90>(2);
    const Passed plain = pass<70, 90>(model, false, Products::f32, x, dy, run);
    const Passed rounded = pass<70, 90>(model, false, Products::bf16, x, dy, run);
    std::vector<float> w(90 * 70);
    for (Index n = 0; n < 90; ++n) weight.read(n, w.data() + n * 70);
    const auto number = [&](Index n, Index k) { return double{w[static_cast<std::size_t>(n * 70 + k)]}; };
    const double forward = worst(rounded.y, plain.y, 90, 70, [&](Index r, Index n) {
        double sum = 0;
        for (Index k = 0; k < 70; ++k) sum += std::abs(double{x(r, k)} * number(n, k));
        return sum;
    });
    const double back = worst(rounded.dx, plain.dx, 70, 90, [&](Index r, Index k) {
        double sum = 0;
        for (Index n = 0; n < 90; ++n) sum += std::abs(double{dy(r, n)} * number(n, k));
        return sum;
    });
    CHECK(forward <= 1);
    CHECK(forward > 0);  // it is another arithmetic
    CHECK(back <= 1);
    CHECK(back > 0);
}

}  // namespace

TEST_CASE("a layer and an output layer of bf16 weights: as in f32, up to the rounding of rows and of their gradients") {
    Linear<70, 90, HasBias::no> linear;
    randomize(linear, 3, DType::bf16);
    check_product(linear, linear.weight.packed(), [&](ConstRows<70> x, Scratch& s) { return linear(x, s); });
    Embedding<90, 70> embedding;
    randomize(embedding, 4, DType::bf16);
    check_product(embedding, embedding.weight.packed(),
                  [&](ConstRows<70> x, Scratch& s) { return embedding.logits(x, s); });
}

TEST_CASE("other weights keep their bits, and so do bf16 ones where nothing is said") {
    const auto x = random_rows<70>(1);
    const auto dy = random_rows<90>(2);
    for (const DType stored : {DType::f32, DType::f16, DType::i8}) {
        Linear<70, 90> linear;
        randomize(linear, 5, stored);
        const auto run = [&](ConstRows<70> rows, Scratch& s) { return linear(rows, s); };
        const bool learns = stored == DType::f32;
        CHECK(pass<70, 90>(linear, learns, Products::f32, x, dy, run) ==
              pass<70, 90>(linear, learns, Products::bf16, x, dy, run));
    }
    Linear<70, 90, HasBias::no> linear;
    randomize(linear, 6, DType::bf16);
    Scratch s;
    const auto y = linear(x, s);
    Tensor<float, dyn, 90> expected({count, 90});
    kernel::gemm(expected.data(), 90, x.data(), 70, count, linear.weight.packed());
    CHECK(std::ranges::equal(y.span(), expected.view().span()));
}

TEST_CASE("an activation, a bias and a residual: the gradient is rounded where it meets the weights") {
    Linear<70, 90> linear;
    randomize(linear, 7, DType::bf16);
    const auto x = random_rows<70>(1);
    const auto dy = random_rows<90>(2), residual = random_rows<90>(3);
    const auto run = [&](ConstRows<70> rows, Scratch& s) {
        return linear(rows, s, {.activation = Activation::gelu, .residual = residual});
    };
    const Passed found = pass<70, 90>(linear, false, Products::bf16, x, dy, run);

    Buffer<bf16> rounded_x(x.size()), rounded_dy(dy.size());
    Tensor<float, dyn, 90> before({count, 90}), y({count, 90}), inner({count, 90});
    Tensor<float, dyn, 70> dx({count, 70});
    kernel::to_bf16(rounded_x.data(), 70, x.data(), 70, count, 70);
    kernel::gemm(before.data(), 90, rounded_x.data(), 70, count, linear.weight.packed(), {.bias = linear.bias.data()});
    kernel::activate(y.data(), before.data(), y.size(), Activation::gelu);
    for (Index i = 0; i < y.size(); ++i) y.data()[i] += residual.data()[i];
    CHECK(std::ranges::equal(found.y, y.view().span()));
    kernel::activate_backward(inner.data(), dy.data(), before.data(), dy.size(), Activation::gelu);
    kernel::to_bf16(rounded_dy.data(), 90, inner.data(), 90, count, 90);
    kernel::input_gradient(dx.data(), 70, rounded_dy.data(), 90, count, linear.weight.packed());
    CHECK(std::ranges::equal(found.dx, dx.view().span()));
}

TEST_CASE("blocks that are run again give the same bits, with one thread and with two") {
    Block<48, 3, 100> block;
    randomize(block, 8, DType::bf16);
    const auto x = random_rows<48>(1), dy = random_rows<48>(2);
    const auto run = [&](ConstRows<48> rows, Scratch& s) {
        const auto y = s.rows<48>(count);
        block.into(y, rows, Causal{}, s);
        return y;
    };
    const int before = kernel::threads();
    const Passed plain = pass<48, 48>(block, false, Products::f32, x, dy, run);
    const Passed one = pass<48, 48>(block, false, Products::bf16, x, dy, run);
    CHECK(one != plain);
    for (const int threads : {1, 2})
        for (const Recompute recompute : {Recompute::nothing, Recompute::blocks}) {
            kernel::set_threads(threads);
            CHECK(one == pass<48, 48>(block, false, Products::bf16, x, dy, run, recompute));
        }
    kernel::set_threads(before);
}

TEST_CASE("a step allocates nothing after the first ones") {
    Block<48, 3, 100> block;
    randomize(block, 9, DType::bf16);
    const auto x = random_rows<48>(1), dy = random_rows<48>(2);
    Gradients gradients(block, [](std::string_view) { return false; });
    Tape tape(gradients);
    tape.set_products(Products::bf16);
    const auto step = [&] {
        tape.clear();
        const auto rows = tape.rows<48>(count);
        std::copy_n(x.data(), x.size(), rows.data());
        tape.watch<48>(rows);
        const auto y = tape.rows<48>(count);
        block.into(y, rows, Causal{}, tape);
        tape.backward(y.data(), {dy.data(), static_cast<std::size_t>(dy.size())});
    };
    step();
    step();
    const Index allocated = test::allocations();
    step();
    CHECK(test::allocations() == allocated);
}

}  // namespace train_products
