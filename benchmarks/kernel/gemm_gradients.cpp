// The gradients of linear layers beside OpenBLAS, against the measured peak of the machine.
//     gemm_gradients [--threads N] [--seconds S] [--only TEXT] [--json FILE]
// GF/s of useful work; the best of several turns taken in alternation. Prints a table in Markdown.
#include <cblas.h>

#include <cstdio>
#include <string>
#include <tessera/kernel/gemm_gradients.hpp>

#include "support/options.hpp"
#include "support/race.hpp"

extern "C" void openblas_set_num_threads(int);

namespace {

using namespace tessera;

struct Shape {
    const char* name;
    Index rows, in, out;
};

constexpr Shape shapes[] = {
    {"Q-Former projection, 8 pictures", 256, 768, 768},   {"Q-Former fc1, 8 pictures", 256, 768, 3072},
    {"Q-Former fc2, 8 pictures", 256, 3072, 768},         {"Q-Former cross key, 8 pictures", 2056, 1408, 768},
    {"OPT-2.7b fc1, 8 captions of 40", 320, 2560, 10240},
};

void measure(const Shape& s, double seconds, benchmark::Figures& products) {
    Tensor<float, dyn, dyn> x({s.rows, s.in}), dy({s.rows, s.out}), dx({s.rows, s.in}), w({s.out, s.in}),
        dw({s.out, s.in});
    for (auto* t : {&x, &dy, &w}) std::fill_n(t->data(), t->size(), 0.25f);
    kernel::Panels f32(s.out, s.in, Stored::f32), half(s.out, s.in, Stored::bf16);
    f32.write(0, w.data(), s.out), half.write(0, w.data(), s.out);
    const int rows = int(s.rows), in = int(s.in), out = int(s.out);
    double flops = 0;
    std::vector<benchmark::Contender> all;
    all.push_back({"peak", [&](int) { flops = benchmark::multiply_adds(); }});
    for (const auto* panels : {&f32, &half})
        all.push_back({"input", [&s, &dx, &dy, panels](int) {
                           kernel::input_gradient(dx.data(), s.in, dy.data(), s.out, s.rows, *panels);
                       }});
    all.push_back({"weight", [&](int) {
                       kernel::weight_gradient(dw.data(), s.out, s.in, dy.data(), s.out, x.data(), s.in, s.rows);
                   }});
    all.push_back({"OpenBLAS input",
                   [&](int) {
                       cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, in, out, 1.0f, dy.data(), out,
                                   w.data(), in, 0.0f, dx.data(), in);
                   },
                   true});
    all.push_back({"OpenBLAS weight",
                   [&](int) {
                       cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, rows, 1.0f, dy.data(), out,
                                   x.data(), in, 1.0f, dw.data(), in);
                   },
                   true});
    benchmark::race(all, seconds, 8);
    const double work = 2e-9 * double(s.rows) * double(s.in) * double(s.out);
    const auto speed = [&](std::size_t i) { return work / all[i].best; };
    const double peak = 1e-9 * flops / all[0].best;
    std::printf("| %s | %td x %td -> %td | %.1f | %.2f | %.1f | %.1f | %.2f | %.1f | %.2f | %.1f | %.2f |\n", s.name,
                s.rows, s.in, s.out, speed(1), speed(1) / peak, speed(2), speed(4), speed(1) / speed(4), speed(3),
                speed(3) / peak, speed(5), speed(3) / speed(5));
    std::fflush(stdout);
    products.push_back({{"name", s.name},
                        {"rows", s.rows},
                        {"in", s.in},
                        {"out", s.out},
                        {"gflops",
                         {{"peak", peak},
                          {"input", speed(1)},
                          {"input of bf16 weights", speed(2)},
                          {"weight", speed(3)},
                          {"OpenBLAS input", speed(4)},
                          {"OpenBLAS weight", speed(5)}}}});
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Options options;
    options.seconds = 0.15;
    options.read(argc, argv, "The gradients of linear layers");
    openblas_set_num_threads(kernel::threads());
    std::printf(
        "%d threads\n\n| | rows x in -> out | dx f32 | of peak | dx bf16 weights | OpenBLAS dx | : | dW | of peak | "
        "OpenBLAS dW | : |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
        kernel::threads());
    benchmark::Figures products = benchmark::Figures::array();
    for (const Shape& s : shapes)
        if (options.wants(s.name)) measure(s, options.seconds, products);
    options.write({{"threads", options.threads}, {"products", std::move(products)}});
}
