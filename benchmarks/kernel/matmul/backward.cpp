// The gradients of linear layers beside OpenBLAS.
//     gemm_gradients [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
#include <cblas.h>

#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/kernel/matmul/matmul.hpp>

#include "support/run.hpp"

namespace {

using namespace tessera;

void add(const std::string& title, Index rows, Index in, Index out) {
    struct Data {
        Tensor<float, dyn, dyn> x, dy, dx, w, dw;
    };
    const auto contender = [=](const std::string& name, bool own_threads, const auto& prepare) {
        const std::string sizes = std::to_string(rows) + "x" + std::to_string(in) + "x" + std::to_string(out);
        bench::add(title + "/" + sizes + "/" + name, [=](bench::State& state) {
            using T = Tensor<float, dyn, dyn>;
            Data d{T({rows, in}), T({rows, out}), T({rows, in}), T({out, in}), T({out, in})};
            for (auto* t : {&d.x, &d.dy, &d.w}) std::copy_n(bench::numbers(t->size()), t->size(), t->data());
            const double flops = 2.0 * static_cast<double>(rows * in) * static_cast<double>(out);
            bench::measure(state, {.flops = flops, .own_threads = own_threads}, prepare(d));
        });
    };
    for (const DType stored : {DType::f32, DType::bf16})
        contender(stored == DType::f32 ? "dx f32" : "dx bf16 weights", false, [=](Data& d) {
            auto panels = std::make_shared<kernel::PackedB>(out, in, stored);
            panels->write(0, d.w.data(), out);
            return [=, &d](Index) { kernel::input_gradient(d.dx.data(), in, d.dy.data(), out, rows, *panels); };
        });
    bench::add(title + "/" + std::to_string(rows) + "x" + std::to_string(in) + "x" + std::to_string(out) + "/dx bf16",
               [=](bench::State& state) {  // rounding dy is a part of it
                   kernel::PackedB panels(out, in, DType::bf16);
                   panels.write(0, bench::numbers(out * in), out);
                   const float* const dy = bench::numbers(rows * out);
                   Buffer<bf16> rounded(rows * out);
                   Buffer<float> dx(rows * in);
                   const double flops = 2.0 * static_cast<double>(rows * in) * static_cast<double>(out);
                   bench::measure(state, {.flops = flops, .peak = bench::dot_peak}, [&](Index) {
                       kernel::to_bf16(rounded.data(), out, dy, out, rows, out);
                       kernel::input_gradient(dx.data(), in, rounded.data(), out, rows, panels);
                   });
               });
    contender("dw", false, [=](Data& d) {
        return
            [=, &d](Index) { kernel::weight_gradient(d.dw.data(), out, in, d.dy.data(), out, d.x.data(), in, rows); };
    });
    const int r = int(rows), i = int(in), o = int(out);
    contender("dx OpenBLAS", true, [=](Data& d) {
        return [=, &d](Index) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, i, o, 1.0f, d.dy.data(), o, d.w.data(), i, 0.0f,
                        d.dx.data(), i);
        };
    });
    contender("dw OpenBLAS", true, [=](Data& d) {
        return [=, &d](Index) {
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, o, i, r, 1.0f, d.dy.data(), o, d.x.data(), i, 1.0f,
                        d.dw.data(), i);
        };
    });
}

}  // namespace

int main(int argc, char** argv) {
    add("Q-Former projection, 8 pictures", 256, 768, 768);
    add("Q-Former fc1, 8 pictures", 256, 768, 3072);
    add("Q-Former fc2, 8 pictures", 256, 3072, 768);
    add("Q-Former cross key, 8 pictures", 2056, 1408, 768);
    add("OPT-2.7b fc1, 8 captions of 40", 320, 2560, 10240);
    add("OPT-2.7b fc1, 8 pictures and captions of 20", 416, 2560, 10240);
    add("OPT-2.7b fc2, 8 pictures and captions of 20", 416, 10240, 2560);
    return bench::run(argc, argv);
}
