// Attention over every combination of mask, length, head dimension, type, threads and algorithm.
//     mask_sweep [--masks "full,causal,prefix 32 | causal"] [--lengths 257,2048] [--queries N] [--heads N]
//                [--dims 64,88] [--types f32,bf16] [--threads 1,2] [--algorithms reference,eigen,fused]
//                [--benchmark_out=FILE] [...]                                       (all: --help)
// Masks are expressions as `tessera mask` reads them; H in them stands for half the length. GF/s of useful work, 4·d
// flops for each visible score, and as if everything were visible; how much is visible, and the share of 32 × 32
// tiles in which anything is. benchmarks/plot.py draws it.
#include <CLI/CLI.hpp>
#include <tessera/reference/attention.hpp>
#include <tessera/study/parse.hpp>

#include "attention.hpp"

namespace {

using namespace tessera;
using bench::Sizes;

struct Options {
    std::vector<std::string> masks{"full", "causal", "window 256"};
    std::vector<Index> lengths{257, 1024, 2048}, dims{64};
    std::vector<std::string> types{"f32"}, algorithms{"eigen", "fused"};
    Index queries = 0;  // as many as keys
    Index heads = 12;
    std::vector<int> threads{kernel::threads()};
};

template <class T>
void add(const std::string& algorithm, const std::string& name, const Sizes& s, const AnyMask& mask, int threads) {
    const Density density(mask, s.queries, s.keys);
    auto* added = bench::add(name, [=](bench::State& state) {
        kernel::set_threads(threads);
        bench::Operands<T> data(s);
        Scratch scratch;
        bench::measure_attention(state, s, density, {}, [&](Index) {
            if constexpr (std::same_as<T, float>) {
                if (algorithm == "eigen") return bench::attend_with_eigen(data, s, mask);
                if (algorithm == "reference")
                    return reference::attention(data.out.view(), data.q.view(), data.k.view(), data.v.view(), s.heads,
                                                double{s.rows().scale}, mask);
            }
            bench::attend(data, s, mask, scratch);
        });
    });
    if (algorithm == "reference") added->Iterations(1)->Repetitions(1);  // it can take minutes
}

/// The expression with half the length in the place of H.
std::string with_half(std::string mask, Index length) {
    for (std::size_t at = mask.find('H'); at != std::string::npos; at = mask.find('H', at))
        mask.replace(at, 1, std::to_string(length / 2));
    return mask;
}

void add_all(const Options& o) {
    for (const std::string& expression : o.masks)
        for (const Index length : o.lengths) {
            const Index queries = o.queries > 0 ? o.queries : length;
            const std::string text = with_half(expression, length);
            const AnyMask mask = parse_mask(text, queries, length);
            for (const Index dim : o.dims)
                for (const std::string& type : o.types)
                    for (const std::string& algorithm : o.algorithms)
                        for (const int threads : o.threads) {
                            const Sizes s{o.heads, queries, length, dim};
                            const std::string name = "attend/" + text + "/" + s.text() + "/" + type + "/" + algorithm +
                                                     "/threads:" + std::to_string(threads);
                            if (type == "f32")
                                add<float>(algorithm, name, s, mask, threads);
                            else if (algorithm == "fused")
                                add<bf16>(algorithm, name, s, mask, threads);
                        }
        }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"Attention over every combination of mask, length, head dimension, type, threads and algorithm"};
    app.allow_extras();
    app.footer("Others are those of Google Benchmark, such as --benchmark_filter=REGEX and --benchmark_out=FILE.");
    const auto list = [&](const char* name, auto& values, const char* what) {
        return app.add_option(name, values, what)->delimiter(',')->capture_default_str();
    };
    list("--masks", options.masks, "Expressions as `tessera mask` reads them; H: half the length");
    list("--lengths", options.lengths, "Keys")->check(CLI::PositiveNumber);
    list("--dims", options.dims, "Of a head")->check(CLI::PositiveNumber);
    list("--types", options.types, "f32, bf16; of queries, keys and values")->check(CLI::IsMember({"f32", "bf16"}));
    list("--threads", options.threads, "How many")->check(CLI::Range(1, 1024));
    list("--algorithms", options.algorithms, "reference, eigen, fused")
        ->check(CLI::IsMember({"reference", "eigen", "fused"}));
    app.add_option("--queries", options.queries, "0: as many as keys")->check(CLI::NonNegativeNumber);
    app.add_option("--heads", options.heads, "How many")->check(CLI::PositiveNumber)->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        add_all(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
    std::vector<std::string> extras = app.remaining();
    std::vector<char*> rest{argv[0]};
    for (std::string& extra : extras) rest.push_back(extra.data());
    return bench::run(static_cast<int>(rest.size()), rest.data());
}
