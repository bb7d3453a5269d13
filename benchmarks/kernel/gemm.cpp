// The matrix products of the mission beside Eigen, OpenBLAS and oneDNN, against the measured peak of the machine.
//     gemm [--threads N] [--seconds S] [--rounds R] [--only TEXT] [--alone] [--json FILE]
// Weights are cold: every contender walks through copies that exceed the caches together, as a model's layers do.
// GF/s of useful work; the best of several turns taken in alternation. Prints a table in Markdown.
//   of peak   share of the multiply-adds on registers that the processor did in the same race
//   of limit  the same, where memory cannot bring the weights fast enough, of what reading them alone takes
//   : best    speed over that of the fastest peer; a peer may choose between two orders of the weights, or two ways of calling it
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 on the AVX-512 intrinsics that Eigen calls
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <cblas.h>

#include <Eigen/Dense>
#include <cstdio>
#include <cstring>
#include <dnnl.hpp>
#include <memory>
#include <random>
#include <tessera/kernel/gemm.hpp>

#include "support/options.hpp"
#include "support/race.hpp"

extern "C" void openblas_set_num_threads(int);
extern "C" char* openblas_get_corename();

namespace {

using namespace tessera;
using benchmark::Contender;

struct Shape {
    const char* name;
    Index rows, in, out;
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

struct Settings : benchmark::Options {
    int rounds = 10;
    bool alone = false;
};

struct Data {
    Tensor<float, dyn, dyn> x, weight, y;
    explicit Data(const Shape& s) : x({s.rows, s.in}), weight({s.out, s.in}), y({s.rows, s.out}) {
        std::minstd_rand random(1);
        for (float& v : x.view()) v = static_cast<float>(random() % 2000) * 1e-3f - 1;
        for (float& v : weight.view()) v = static_cast<float>(random() % 2000) * 1e-3f - 1;
    }
};

/// Copies of the weights until they exceed the caches.
template <class T, class Make>
std::vector<T> copies(const Shape& s, std::size_t element, const Make& make) {
    const Index count = std::clamp<Index>((Index{160} << 20) / (s.in * s.out * Index(element)), 1, 32) + 1;
    std::vector<T> all;
    for (Index i = 0; i < count; ++i) all.push_back(make());
    return all;
}

Contender ours(const Shape& s, Data& d, Stored stored, const char* name) {
    auto panels =
        std::make_shared<std::vector<kernel::Panels>>(copies<kernel::Panels>(s, stored == Stored::f32 ? 4 : 2, [&] {
            kernel::Panels p(s.out, s.in, stored);
            p.write(0, d.weight.data(), s.out);
            return p;
        }));
    return {name, [=, &d](int call) {
                const auto& p = (*panels)[static_cast<std::size_t>(call) % panels->size()];
                kernel::gemm(d.y.data(), s.out, d.x.data(), s.in, s.rows, p);
            }};
}

/// bf16 arithmetic; the activations are bf16 before, as oneDNN's are.
Contender ours_in_bf16(const Shape& s, Data& d) {
    auto panels = std::make_shared<std::vector<kernel::Panels>>(copies<kernel::Panels>(s, 2, [&] {
        kernel::Panels p(s.out, s.in, Stored::bf16);
        p.write(0, d.weight.data(), s.out);
        return p;
    }));
    auto x = std::make_shared<Buffer<bf16>>(s.rows * s.in);
    kernel::to_bf16(x->data(), s.in, d.x.data(), s.in, s.rows, s.in);
    return {"bf16", [=, &d](int call) {
                const auto& p = (*panels)[static_cast<std::size_t>(call) % panels->size()];
                kernel::gemm(d.y.data(), s.out, x->data(), s.in, s.rows, p);
            }};
}

/// What no product can beat: multiply-adds on registers.
Contender peak(double* flops) {
    return {"peak", [=](int) { *flops = benchmark::multiply_adds(); }};
}

/// What no decode can beat: reading the same bytes and doing nothing with them.
Contender reader(const Shape& s) {
    constexpr Index block = Index{1} << 15;         // floats
    const Index blocks = s.in * s.out / 2 / block;  // bf16 as floats
    auto memory = std::make_shared<std::vector<kernel::Panels>>(copies<kernel::Panels>(s, 2, [&] {
        kernel::Panels p(s.out, s.in, Stored::bf16);
        const std::vector<float> row(static_cast<std::size_t>(s.in), 1.0f);
        for (Index i = 0; i < s.out; ++i) p.write(i, row.data(), 1);
        return p;
    }));
    return {"read", [=](int call) {
                const auto& p = (*memory)[static_cast<std::size_t>(call) % memory->size()];
                kernel::parallel_pieces(blocks, 1, [&](Index begin, Index end) {
                    for (Index i = begin; i < end; ++i) benchmark::read(p.at<float>(0) + i * block, block);
                });
            }};
}

using Copies = std::shared_ptr<std::vector<Tensor<float, dyn, dyn>>>;

/// Weights as the model has them, [out, in], or the other way round; one row by the product of a matrix and a vector.
Contender openblas(const Shape& s, Data& d, const Copies& weights, bool turned) {
    return {"OpenBLAS",
            [=, &d](int call) {
                const auto& w = (*weights)[static_cast<std::size_t>(call) % weights->size()];
                const int rows = int(s.rows), in = int(s.in), out = int(s.out);
                if (rows == 1)
                    cblas_sgemv(CblasRowMajor, turned ? CblasTrans : CblasNoTrans, turned ? in : out, turned ? out : in,
                                1.0f, w.data(), turned ? out : in, d.x.data(), 1, 0.0f, d.y.data(), 1);
                else
                    cblas_sgemm(CblasRowMajor, CblasNoTrans, turned ? CblasNoTrans : CblasTrans, rows, out, in, 1.0f,
                                d.x.data(), in, w.data(), turned ? out : in, 0.0f, d.y.data(), out);
            },
            true};
}

Contender eigen(const Shape& s, Data& d, const Copies& weights, bool turned) {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return {"Eigen", [=, &d](int call) {
                const auto& w = (*weights)[static_cast<std::size_t>(call) % weights->size()];
                Eigen::Map<Matrix> y(d.y.data(), s.rows, s.out);
                const Eigen::Map<Matrix> x(d.x.data(), s.rows, s.in);
                if (turned)
                    y.noalias() = x * Eigen::Map<const Matrix>(w.data(), s.in, s.out);
                else
                    y.noalias() = x * Eigen::Map<const Matrix>(w.data(), s.out, s.in).transpose();
            }};
}

/// oneDNN with weights in whatever order it likes best, packed beforehand, by its `matmul` or its `inner_product`; for bf16
/// the activations too are bf16 before. Not there where the processor cannot do it.
void add_onednn(std::vector<Contender>& all, const Shape& s, Data& d, dnnl::memory::data_type type, const char* name,
                bool inner) try {
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
    memory source(inner ? memory::desc({s.out, s.in}, f32, tag::ab) : memory::desc({s.in, s.out}, f32, tag::ba), engine,
                  d.weight.data());
    auto weights = std::make_shared<std::vector<memory>>(copies<memory>(s, type == f32 ? 4 : 2, [&] {
        memory packed(order, engine);
        dnnl::reorder(source, packed).execute(stream, source, packed);
        stream.wait();
        return packed;
    }));
    memory rows({{s.rows, s.in}, f32, tag::ab}, engine, d.x.data()), input(x, engine);
    dnnl::reorder(rows, input).execute(stream, rows, input);
    stream.wait();
    all.push_back({name, [=, output = memory(y, engine, d.y.data())](int call) mutable {
                       product.execute(
                           stream, {{DNNL_ARG_SRC, input},
                                    {DNNL_ARG_WEIGHTS, (*weights)[static_cast<std::size_t>(call) % weights->size()]},
                                    {DNNL_ARG_DST, output}});
                       stream.wait();
                   }});
} catch (const dnnl::error&) {}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    settings.seconds = 0.1;
    settings.read(argc, argv, "Matrix products", [&](CLI::App& app) {
        app.add_option("--rounds", settings.rounds, "Turns of each contender")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app.add_flag("--alone", settings.alone, "Without the peers");
    });
    openblas_set_num_threads(settings.threads);
    Eigen::setNbThreads(settings.threads);
    const double bandwidth = benchmark::read_bandwidth();
    std::printf("%d threads, %.1f GB/s read; OpenBLAS for %s\n\n", settings.threads, bandwidth,
                openblas_get_corename());
    std::printf(
        "| | rows x in -> out | f32 | of peak | of limit | Eigen | OpenBLAS | oneDNN | : best | bf16 weights | of peak "
        "| "
        "of limit | GB/s | of read | bf16 | oneDNN bf16 |\n|---|---|%s\n",
        "---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    benchmark::Figures products = benchmark::Figures::array();
    for (const Shape& s : shapes) {
        if (!settings.wants(s.name)) continue;
        Data d(s);
        double peak_flops = 0;
        std::vector<Contender> all;
        all.push_back(peak(&peak_flops));
        all.push_back(ours(s, d, Stored::f32, "f32"));
        all.push_back(ours(s, d, Stored::bf16, "bf16 weights"));
        if (kernel::has_dot) all.push_back(ours_in_bf16(s, d));
        all.push_back(reader(s));
        if (!settings.alone) {
            const auto plain = std::make_shared<std::vector<Tensor<float, dyn, dyn>>>(
                copies<Tensor<float, dyn, dyn>>(s, 4, [&] { return d.weight; }));
            for (const bool turned : {false, true}) {  // the values do not matter to the time
                all.push_back(eigen(s, d, plain, turned));
                all.push_back(openblas(s, d, plain, turned));
            }
            for (const bool inner : {false, true}) {
                add_onednn(all, s, d, dnnl::memory::data_type::f32, "oneDNN", inner);
                add_onednn(all, s, d, dnnl::memory::data_type::bf16, "oneDNN bf16", inner);
            }
        }
        benchmark::race(all, settings.seconds, settings.rounds);
        const double work = 2e-9 * double(s.rows) * double(s.in) * double(s.out);
        const auto time = [&](const std::string& name) {
            double best = std::numeric_limits<double>::infinity();
            for (const Contender& c : all)
                if (c.name == name) best = std::min(best, c.best);
            return best;
        };
        const auto speed = [&](const std::string& name) { return work / time(name); };
        const double at_peak = work / (1e-9 * peak_flops / time("peak"));  // seconds
        const double read = time("read");                                  // of bf16 weights
        const double best_peer = std::max({speed("Eigen"), speed("OpenBLAS"), speed("oneDNN")});
        std::printf(
            "| %s | %td x %td -> %td | %.1f | %.2f | %.2f | %.1f | %.1f | %.1f | %.2f | %.1f | %.2f | %.2f | %.1f | "
            "%.2f | "
            "%.1f | %.1f |\n",
            s.name, s.rows, s.in, s.out, speed("f32"), at_peak / time("f32"), std::max(at_peak, 2 * read) / time("f32"),
            speed("Eigen"), speed("OpenBLAS"), speed("oneDNN"), speed("f32") / best_peer, speed("bf16 weights"),
            at_peak / time("bf16 weights"), std::max(at_peak, read) / time("bf16 weights"),
            2e-9 * double(s.in) * double(s.out) / time("bf16 weights"), read / time("bf16 weights"), speed("bf16"),
            speed("oneDNN bf16"));
        std::fflush(stdout);
        benchmark::Figures gflops{{"peak", work / at_peak}};
        for (const char* name : {"f32", "bf16 weights", "bf16", "Eigen", "OpenBLAS", "oneDNN", "oneDNN bf16"})
            gflops[name] = speed(name);
        products.push_back(
            {{"name", s.name}, {"rows", s.rows}, {"in", s.in}, {"out", s.out}, {"gflops", std::move(gflops)}});
    }
    settings.write({{"threads", settings.threads}, {"read_gb_per_s", bandwidth}, {"products", std::move(products)}});
}
