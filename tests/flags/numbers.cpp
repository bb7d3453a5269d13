// Prints what layers and kernels compute, of numbers on which liberties with arithmetic would show: exponents, and numbers
// that are infinite or none where a mask hides them.
#include <cstdio>
#include <limits>
#include <tessera/attention.hpp>
#include <tessera/kernel/row/activation.hpp>
#include <tessera/kernel/row/softmax.hpp>
#include <vector>

using namespace tessera;

namespace {

unsigned state = 1;
std::vector<float> random_numbers(Index count, float scale) {
    std::vector<float> x(static_cast<std::size_t>(count));
    for (float& value : x) {
        state = state * 1664525u + 1013904223u;
        value = scale * (static_cast<float>(state >> 8) * 0x1p-24f - 0.5f);
    }
    return x;
}

template <class Numbers>
void print(const Numbers& x) {
    for (const float value : x) std::printf("%.9g\n", static_cast<double>(value));
}

/// `last`: what the last row of the context holds.
template <class Masked>
void print_attention(Index queries, Index keys, const Masked& mask, float last) {
    Attention<64, 4> layer;
    for_each_parameter(layer, [](const std::string&, auto& leaf) {
        leaf.allocate(DType::f32);
        for (Index row = 0; row < leaf.rows; ++row) leaf.write(row, random_numbers(leaf.columns, 1).data(), 1);
    });
    const auto q = random_numbers(queries * 64, 2);
    auto context = random_numbers(keys * 64, 1);
    std::fill_n(context.end() - 64, 64, last);
    Scratch scratch;
    print(layer(ConstRows<64>(q.data(), {queries, 64}), ConstRows<64>(context.data(), {keys, 64}), mask, scratch));
}

}  // namespace

int main() {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    print_attention(40, 40, Full{}, 0.5f);
    print_attention(40, 40, Causal{}, 0.5f);
    print_attention(39, 40, Causal::after(0), nan);
    print_attention(70, 71, Causal::after(0), infinity);
    print_attention(3, 40, Causal::after(36), nan);
    std::vector<float> x(64), y(64);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 1.3f - 60;
    kernel::softmax(y.data(), x.data(), 1, 64);
    print(y);
    kernel::log_softmax(y.data(), x.data(), 1, 64);
    print(y);
    for (const auto f : {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu}) {
        kernel::activate(y.data(), x.data(), 64, f);
        print(y);
    }
}
