// What training does row by row or number by number, held against the memory's bandwidth.
//     backward [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/row/activation_backward.hpp>
#include <tessera/kernel/row/adamw.hpp>
#include <tessera/kernel/row/cross_entropy.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/kernel/row/norm_backward.hpp>
#include <tessera/kernel/row/normalize.hpp>

#include "support/run.hpp"

namespace {

using namespace tessera;
using Rows2 = Tensor<float, dyn, dyn>;

/// Up to four arrays of [rows, size], with what the kernels take besides.
struct Data {
    Index rows, size;
    Rows2 a, b, c, d;
    std::vector<float> of_rows, of_columns;
    std::vector<Token> targets;

    Data(Index r, Index s)
        : rows(r),
          size(s),
          a({r, s}),
          b({r, s}),
          c({r, s}),
          d({r, s}),
          of_rows(std::size_t(r), 1.0f),
          of_columns(std::size_t(s), 1.0f),
          targets(std::size_t(r), 7) {
        for (auto* t : {&a, &b, &c, &d}) std::copy_n(bench::numbers(t->size()), t->size(), t->data());
        for (float& x : d.view()) x = x * x;  // second moments
    }
};

/// `arrays` of them are read or written, each number once.
void add(const std::string& name, Index rows, Index size, double arrays, const auto& call) {
    bench::add(name + "/" + std::to_string(rows) + "x" + std::to_string(size), [=](bench::State& state) {
        Data data(rows, size);
        bench::measure(state, {.bytes = 4 * arrays * static_cast<double>(rows * size)}, [&](Index) { call(data); });
    });
}

}  // namespace

int main(int argc, char** argv) {
    for (const Index size : {768, 1408}) {
        add("layer norm, dx", 8224, size, 3, [](Data& t) {
            kernel::layer_norm_backward(t.a.data(), false, t.b.data(), t.c.data(), t.of_columns.data(),
                                        t.of_rows.data(), t.of_rows.data(), nullptr, nullptr, t.rows, t.size);
        });
        add("layer norm, d_gain and d_bias", 8224, size, 2, [](Data& t) {
            kernel::layer_norm_backward(nullptr, false, t.b.data(), t.c.data(), t.of_columns.data(), t.of_rows.data(),
                                        t.of_rows.data(), t.of_columns.data(), t.of_columns.data(), t.rows, t.size);
        });
    }
    for (const Activation what : {Activation::relu, Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu})
        add(std::string(name(what)) + ", dx", 4096, 3072, 3,
            [what](Data& t) { kernel::activate_backward(t.a.data(), t.b.data(), t.c.data(), t.a.size(), what); });
    add("cross entropy, loss alone", 320, 50272, 1, [](Data& t) {
        kernel::cross_entropy(t.of_rows.data(), nullptr, t.b.data(), t.targets.data(), t.rows, t.size, 0.1f, 1);
    });
    add("cross entropy, with its gradient", 320, 50272, 2, [](Data& t) {
        kernel::cross_entropy(t.of_rows.data(), t.a.data(), t.b.data(), t.targets.data(), t.rows, t.size, 0.1f, 1);
    });
    add("dropout", 4096, 3072, 2, [](Data& t) { kernel::dropout(t.a.data(), t.b.data(), t.a.size(), {0.1f, 1, 0}); });
    add("AdamW", 4096, 3072, 7, [](Data& t) {
        kernel::adamw(t.a.data(), t.b.data(), t.d.data(), t.c.data(), t.a.size(),
                      {.rate = 1e-4,
                       .beta1 = 0.9,
                       .beta2 = 0.999,
                       .eps = 1e-8,
                       .decay = 0.05,
                       .correction1 = 0.1,
                       .correction2 = 0.001});
    });
    add("sum of squares", 4096, 3072, 1,
        [](Data& t) { ::benchmark::DoNotOptimize(kernel::sum_of_squares(t.a.data(), t.a.size())); });
    return bench::run(argc, argv);
}
