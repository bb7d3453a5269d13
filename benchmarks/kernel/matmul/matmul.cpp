// The matrix products of the mission beside Eigen, OpenBLAS and oneDNN.
//     gemm [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// Weights are cold: every contender walks through copies that exceed the caches together, as a model's layers do. A
// peer may choose between two orders of the weights, or two ways of calling it. GB/s are those of the weights.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 on the AVX-512 intrinsics that Eigen calls
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <cblas.h>

#include <Eigen/Dense>
#include <dnnl.hpp>
#include <tessera/kernel/matmul/matmul.hpp>

#include "support/run.hpp"

namespace {

using namespace tessera;
using bench::State;

struct Shape {
    const char* name;
    Index rows, in, out;

    /// Of the weights, so that they exceed the caches, each number taking `element` bytes.
    Index copies(Index element) const {
        return std::clamp<Index>((Index{160} << 20) / (in * out * element), 1, 32) + 1;
    }
    bench::Work work(Index element) const {
        const auto weights = static_cast<double>(in * out);
        return {.flops = 2 * static_cast<double>(rows) * weights, .bytes = static_cast<double>(element) * weights};
    }
};

constexpr Shape shapes[] = {
    {"ViT-g projection", 257, 1408, 1408},
    {"ViT-g qkv", 257, 1408, 4224},
    {"ViT-g fc1", 257, 1408, 6144},
    {"ViT-g fc2", 257, 6144, 1408},
    {"CLIP-L projection", 257, 1024, 1024},
    {"CLIP-L fc1", 257, 1024, 4096},
    {"CLIP-L fc2", 257, 4096, 1024},
    {"Q-Former 32 projection", 32, 768, 768},
    {"Q-Former 32 cross", 32, 1408, 768},
    {"Q-Former 32 fc1", 32, 768, 3072},
    {"Q-Former 32 fc2", 32, 3072, 768},
    {"Q-Former 257 projection", 257, 768, 768},
    {"Q-Former 257 cross", 257, 1408, 768},
    {"Q-Former 257 fc1", 257, 768, 3072},
    {"Q-Former 257 fc2", 257, 3072, 768},
    {"OPT-2.7b prefill projection", 40, 2560, 2560},
    {"OPT-2.7b prefill fc1", 40, 2560, 10240},
    {"OPT-2.7b prefill fc2", 40, 10240, 2560},
    {"OPT-2.7b training fc1", 416, 2560, 10240},
    {"OPT-2.7b training fc2", 416, 10240, 2560},
    {"rows 2", 2, 2560, 2560},
    {"rows 3", 3, 2560, 2560},
    {"rows 4", 4, 2560, 2560},
    {"rows 5", 5, 2560, 2560},
    {"rows 6", 6, 2560, 2560},
    {"rows 7", 7, 2560, 2560},
    {"rows 8", 8, 2560, 2560},
    {"rows 12", 12, 2560, 2560},
    {"rows 16", 16, 2560, 2560},
    {"rows 24", 24, 2560, 2560},
    {"rows 33", 33, 2560, 2560},
    {"rows 64", 64, 2560, 2560},
    {"OPT-2.7b decode projection", 1, 2560, 2560},
    {"OPT-2.7b decode fc1", 1, 2560, 10240},
    {"OPT-2.7b decode fc2", 1, 10240, 2560},
    {"OPT-2.7b decode head", 1, 2560, 50304},
};

std::vector<kernel::PackedB> panels(const Shape& s, DType stored) {
    std::vector<kernel::PackedB> all;
    for (Index n = s.copies(bits(stored) / 8); n > 0; --n) {
        all.emplace_back(s.out, s.in, stored);
        all.back().write(0, bench::numbers(s.out * s.in), s.out);
    }
    return all;
}

void ours(State& state, const Shape& s, DType stored) {
    const auto weights = panels(s, stored);
    const float* x = bench::numbers(s.rows * s.in);
    Buffer<float> y(s.rows * s.out);
    bench::measure(state, s.work(bits(stored) / 8), [&](Index call) {
        kernel::gemm(y.data(), s.out, x, s.in, s.rows, weights[static_cast<std::size_t>(call) % weights.size()]);
    });
}

/// bf16 arithmetic; the activations are bf16 before, as oneDNN's are.
void ours_in_bf16(State& state, const Shape& s) {
    const auto weights = panels(s, DType::bf16);
    Buffer<bf16> x(s.rows * s.in);
    kernel::to_bf16(x.data(), s.in, bench::numbers(x.size()), s.in, s.rows, s.in);
    Buffer<float> y(s.rows * s.out);
    bench::Work work = s.work(2);
    work.peak = bench::dot_peak;
    bench::measure(state, work, [&](Index call) {
        kernel::gemm(y.data(), s.out, x.data(), s.in, s.rows, weights[static_cast<std::size_t>(call) % weights.size()]);
    });
}

/// A peer that reads f32 weights as plain rows: `product(y, x, weights)`.
template <class Product>
void plain(State& state, const Shape& s, bool own_threads, const Product& product) {
    const Index each = s.in * s.out, copies = s.copies(4);
    const float* weights = bench::numbers(copies * each);
    Buffer<float> x(s.rows * s.in), y(s.rows * s.out);
    std::copy_n(weights, x.size(), x.data());
    bench::Work work = s.work(4);
    work.own_threads = own_threads;
    bench::measure(state, work, [&](Index call) { product(y.data(), x.data(), weights + call % copies * each); });
}

/// Weights as the model has them, [out, in], or the other way round; one row by the product of a matrix and a vector.
void openblas(State& state, const Shape& s, bool turned) {
    const int rows = int(s.rows), in = int(s.in), out = int(s.out);
    plain(state, s, true, [=](float* y, const float* x, const float* w) {
        if (rows == 1)
            cblas_sgemv(CblasRowMajor, turned ? CblasTrans : CblasNoTrans, turned ? in : out, turned ? out : in, 1.0f,
                        w, turned ? out : in, x, 1, 0.0f, y, 1);
        else
            cblas_sgemm(CblasRowMajor, CblasNoTrans, turned ? CblasNoTrans : CblasTrans, rows, out, in, 1.0f, x, in, w,
                        turned ? out : in, 0.0f, y, out);
    });
}

void eigen(State& state, const Shape& s, bool turned) {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using Const = Eigen::Map<const Matrix>;
    plain(state, s, false, [=](float* y, const float* x, const float* w) {
        Eigen::Map<Matrix> product(y, s.rows, s.out);
        if (turned)
            product.noalias() = Const(x, s.rows, s.in) * Const(w, s.in, s.out);
        else
            product.noalias() = Const(x, s.rows, s.in) * Const(w, s.out, s.in).transpose();
    });
}

/// oneDNN with weights in whatever order it likes best, packed beforehand, by its `matmul` or its `inner_product`; for
/// bf16 the activations too are bf16 before.
void onednn(State& state, const Shape& s, dnnl::memory::data_type type, bool inner) try {
    using dnnl::memory;
    using tag = memory::format_tag;
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    const auto f32 = memory::data_type::f32;
    const memory::desc x({s.rows, s.in}, type, tag::ab), y({s.rows, s.out}, f32, tag::ab);
    const memory::desc any(inner ? memory::dims{s.out, s.in} : memory::dims{s.in, s.out}, type, tag::any);
    dnnl::primitive product;
    memory::desc order;
    if (inner) {
        const dnnl::inner_product_forward::primitive_desc about(
            dnnl::inner_product_forward::desc(dnnl::prop_kind::forward_inference, x, any, y), engine);
        order = about.weights_desc(), product = dnnl::inner_product_forward(about);
    } else {
        const dnnl::matmul::primitive_desc about(dnnl::matmul::desc(x, any, y), engine);
        order = about.weights_desc(), product = dnnl::matmul(about);
    }
    auto* numbers = const_cast<float*>(bench::numbers(std::max(s.rows, s.out) * s.in));  // read only
    const auto filled = [&](memory::desc from, const memory::desc& to) {
        memory source(from, engine, numbers), target(to, engine);
        dnnl::reorder(source, target).execute(stream, source, target);
        stream.wait();
        return target;
    };
    std::vector<memory> weights;
    for (Index n = s.copies(type == f32 ? 4 : 2); n > 0; --n)
        weights.push_back(filled(
            inner ? memory::desc({s.out, s.in}, f32, tag::ab) : memory::desc({s.in, s.out}, f32, tag::ba), order));
    const memory input = filled({{s.rows, s.in}, f32, tag::ab}, x), output(y, engine);
    bench::Work work = s.work(type == f32 ? 4 : 2);
    if (type != f32) work.peak = bench::dot_peak;
    bench::measure(state, work, [&](Index call) {
        product.execute(stream, {{DNNL_ARG_SRC, input},
                                 {DNNL_ARG_WEIGHTS, weights[static_cast<std::size_t>(call) % weights.size()]},
                                 {DNNL_ARG_DST, output}});
        stream.wait();
    });
} catch (const dnnl::error& error) {
    state.SkipWithError(error.what());  // this processor cannot
}

void add(const Shape& s) {
    const auto contender = [&](const char* name, const auto& run, auto... how) {
        const std::string sizes = std::to_string(s.rows) + "x" + std::to_string(s.in) + "x" + std::to_string(s.out);
        bench::add(s.name + ("/" + sizes + "/") + name, [=](State& state) { run(state, s, how...); });
    };
    using type = dnnl::memory::data_type;
    contender("f32", ours, DType::f32);
    contender("bf16 weights", ours, DType::bf16);
    contender("f16 weights", ours, DType::f16);
    contender("i8 weights", ours, DType::i8);
    contender("Eigen", eigen, false);
    contender("Eigen turned", eigen, true);
    contender("OpenBLAS", openblas, false);
    contender("OpenBLAS turned", openblas, true);
    contender("oneDNN matmul", onednn, type::f32, false);
    contender("oneDNN inner_product", onednn, type::f32, true);
    if (!kernel::has_dot) return;
    contender("bf16", ours_in_bf16);
    contender("oneDNN bf16 matmul", onednn, type::bf16, false);
    contender("oneDNN bf16 inner_product", onednn, type::bf16, true);
}

}  // namespace

int main(int argc, char** argv) {
    for (const Shape& s : shapes) add(s);
    return bench::run(argc, argv);
}
