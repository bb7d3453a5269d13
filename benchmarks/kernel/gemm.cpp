// The matrix products of the mission beside Eigen, OpenBLAS and oneDNN, against the measured peak of the machine.
//     gemm [--threads N] [--seconds S] [--only TEXT] [--alone] [--json FILE]
// Weights are cold: every contender walks through copies that exceed the caches together, as a model's layers do.
// GF/s of useful work; the best of several turns taken in alternation.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 on the AVX-512 intrinsics that Eigen calls
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <cblas.h>
#include <omp.h>

#include <Eigen/Dense>
#include <cstdio>
#include <cstring>
#include <dnnl.hpp>
#include <fstream>
#include <memory>
#include <random>
#include <tessera/kernel/gemm.hpp>

#include "support/race.hpp"

extern "C" void openblas_set_num_threads(int);

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
    {"ViT-g 364px fc1", 677, 1408, 6144},
    {"ViT-g 364px fc2", 677, 6144, 1408},
    {"CLIP-L projection", 257, 1024, 1024},
    {"CLIP-L fc1", 257, 1024, 4096},
    {"CLIP-L fc2", 257, 4096, 1024},
    {"Q-Former projection", 32, 768, 768},
    {"Q-Former fc1", 32, 768, 3072},
    {"Q-Former fc2", 32, 3072, 768},
    {"Q-Former cross key", 257, 1408, 768},
    {"OPT-2.7b prefill projection", 40, 2560, 2560},
    {"OPT-2.7b prefill fc1", 40, 2560, 10240},
    {"OPT-2.7b prefill fc2", 40, 10240, 2560},
    {"2 rows", 2, 2560, 2560},
    {"5 rows (beams)", 5, 2560, 10240},
    {"8 rows", 8, 2560, 2560},
    {"16 rows", 16, 2560, 2560},
    {"64 rows", 64, 2560, 2560},
    {"OPT-2.7b decode projection", 1, 2560, 2560},
    {"OPT-2.7b decode fc1", 1, 2560, 10240},
    {"OPT-2.7b decode fc2", 1, 10240, 2560},
    {"OPT-2.7b decode head", 1, 2560, 50304},
};

struct Settings {
    int threads = kernel::threads();
    double seconds = 0.2;
    std::string only;
    bool alone = false;
    std::string json;
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

/// What no decode can beat: reading the same bytes and doing nothing with them.
Contender reader(const Shape& s) {
    const Index size = s.in * s.out / 2;  // bf16 as floats
    auto memory = std::make_shared<std::vector<kernel::Panels>>(copies<kernel::Panels>(s, 2, [&] {
        kernel::Panels p(s.out, s.in, Stored::bf16);
        const std::vector<float> row(static_cast<std::size_t>(s.in), 1.0f);
        for (Index i = 0; i < s.out; ++i) p.write(i, row.data(), 1);
        return p;
    }));
    return {"read", [=](int call) {
                const auto& p = (*memory)[static_cast<std::size_t>(call) % memory->size()];
                kernel::parallel_ranges(size / (16 * kernel::width), [&](Index begin, Index end) {
                    benchmark::read(p.at<float>(0) + begin * 16 * kernel::width, (end - begin) * 16 * kernel::width);
                });
            }};
}

using Copies = std::shared_ptr<std::vector<Tensor<float, dyn, dyn>>>;

Contender openblas(const Shape& s, Data& d, const Copies& weights) {
    return {"OpenBLAS", [=, &d](int call) {
                const auto& w = (*weights)[static_cast<std::size_t>(call) % weights->size()];
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, int(s.rows), int(s.out), int(s.in), 1.0f,
                            d.x.data(), int(s.in), w.data(), int(s.in), 0.0f, d.y.data(), int(s.out));
            }};
}

Contender eigen(const Shape& s, Data& d, const Copies& weights) {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return {"Eigen", [=, &d](int call) {
                const auto& w = (*weights)[static_cast<std::size_t>(call) % weights->size()];
                Eigen::Map<Matrix> y(d.y.data(), s.rows, s.out);
                y.noalias() = Eigen::Map<Matrix>(d.x.data(), s.rows, s.in) *
                              Eigen::Map<const Matrix>(w.data(), s.out, s.in).transpose();
            }};
}

/// oneDNN with weights in whatever order it likes best, packed beforehand; for bf16 the activations too are bf16 before.
Contender onednn(const Shape& s, Data& d, dnnl::memory::data_type type, const char* name) {
    using dnnl::memory;
    using tag = memory::format_tag;
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    const auto f32 = memory::data_type::f32;
    const memory::desc x({s.rows, s.in}, type, tag::ab), any({s.in, s.out}, type, tag::any),
        y({s.rows, s.out}, f32, tag::ab);
    const dnnl::matmul::primitive_desc about(dnnl::matmul::desc(x, any, y), engine);
    memory source({{s.in, s.out}, f32, tag::ba}, engine, d.weight.data());
    auto weights = std::make_shared<std::vector<memory>>(copies<memory>(s, type == f32 ? 4 : 2, [&] {
        memory packed(about.weights_desc(), engine);
        dnnl::reorder(source, packed).execute(stream, source, packed);
        stream.wait();
        return packed;
    }));
    memory rows({{s.rows, s.in}, f32, tag::ab}, engine, d.x.data()), input(x, engine);
    dnnl::reorder(rows, input).execute(stream, rows, input);
    stream.wait();
    return {name, [=, &d, product = dnnl::matmul(about), output = memory(y, engine, d.y.data())](int call) mutable {
                product.execute(stream,
                                {{DNNL_ARG_SRC, input},
                                 {DNNL_ARG_WEIGHTS, (*weights)[static_cast<std::size_t>(call) % weights->size()]},
                                 {DNNL_ARG_DST, output}});
                stream.wait();
            }};
}

Settings parse(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string("0"); };
        if (option == "--threads") settings.threads = std::max(1, std::stoi(value()));
        if (option == "--seconds") settings.seconds = std::stod(value());
        if (option == "--only") settings.only = value();
        if (option == "--alone") settings.alone = true;
        if (option == "--json") settings.json = value();
    }
    return settings;
}

}  // namespace

int main(int argc, char** argv) {
    const Settings settings = parse(argc, argv);
    omp_set_num_threads(settings.threads);
    openblas_set_num_threads(settings.threads);
    Eigen::setNbThreads(settings.threads);
    const double peak = benchmark::multiply_add_peak();
    const double dot_peak = benchmark::dot_peak();
    const double bandwidth = benchmark::read_bandwidth();
    std::printf("%d threads: peak %.1f GF/s f32, %.1f GF/s bf16; %.1f GB/s read\n\n", settings.threads, peak, dot_peak,
                bandwidth);
    std::printf("%-28s %18s | %6s %6s %6s %6s %6s %5s | %6s %6s %6s %6s\n", "", "rows x in -> out", "f32", "/peak",
                "Eigen", "OpenBL", "oneDNN", "ratio", "bf16 w", "/read", "oDNN16", "ratio");
    std::string rows;
    for (const Shape& s : shapes) {
        if (std::string(s.name).find(settings.only) == std::string::npos) continue;
        Data d(s);
        std::vector<Contender> all;
        all.push_back(ours(s, d, Stored::f32, "f32"));
        all.push_back(ours(s, d, Stored::bf16, "bf16 weights"));
        all.push_back(reader(s));
        if (!settings.alone) {
            const auto weights = std::make_shared<std::vector<Tensor<float, dyn, dyn>>>(
                copies<Tensor<float, dyn, dyn>>(s, 4, [&] { return d.weight; }));
            all.push_back(eigen(s, d, weights));
            all.push_back(openblas(s, d, weights));
            all.push_back(onednn(s, d, dnnl::memory::data_type::f32, "oneDNN"));
            all.push_back(onednn(s, d, dnnl::memory::data_type::bf16, "oneDNN bf16"));
        }
        benchmark::race(all, settings.seconds);
        const double work = 2e-9 * double(s.rows) * double(s.in) * double(s.out);
        const auto speed = [&](std::size_t i) { return i < all.size() ? work / all[i].best : 0.0; };
        const double best_peer = std::max({speed(3), speed(4), speed(5)});
        std::printf("%-28s %5td x %5td -> %5td | %6.1f %6.3f %6.1f %6.1f %6.1f %5.2f | %6.1f %6.3f %6.1f %6.2f\n",
                    s.name, s.rows, s.in, s.out, speed(0), speed(0) / peak, speed(3), speed(4), speed(5),
                    speed(0) / best_peer, speed(1), speed(1) / speed(2), speed(6), speed(1) / speed(6));
        std::fflush(stdout);
        rows += rows.empty() ? "" : ",\n";
        rows += "  {\"name\": \"" + std::string(s.name) + "\", \"rows\": " + std::to_string(s.rows) +
                ", \"in\": " + std::to_string(s.in) + ", \"out\": " + std::to_string(s.out) + ", \"gflops\": {";
        for (std::size_t i = 0; i < all.size(); ++i)
            rows += (i == 0 ? "\"" : ", \"") + all[i].name + "\": " + std::to_string(speed(i));
        rows += "}}";
    }
    if (!settings.json.empty())
        std::ofstream(settings.json) << "{\"threads\": " << settings.threads << ", \"peak_f32\": " << peak
                                     << ", \"peak_bf16\": " << dot_peak << ", \"read_gb_per_s\": " << bandwidth
                                     << ", \"products\": [\n"
                                     << rows << "\n]}\n";
}
