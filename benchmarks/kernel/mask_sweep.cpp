// Attention over every combination of mask, length, head dimension, type, threads and algorithm.
//     mask_sweep [--masks "full,causal,prefix 32 | causal"] [--lengths 257,2048] [--queries N] [--heads N] [--dims 64,88]
//                [--types f32,bf16] [--threads 1,2] [--algorithms reference,eigen,fused] [--seconds S] [--json FILE]
//                [--csv FILE]
// Masks are expressions as `tessera mask` reads them; H in them stands for half the length. For each row: GF/s of useful work, 4·d
// flops for each visible score; GF/s as if everything were visible; the useful ones as a share of the measured peak;
// how much is visible, and the share of 32 × 32 tiles in which anything is; and the time over that of the same algorithm
// without a mask, taken in turns. benchmarks/plot.py draws it.
#include "with_eigen.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <tessera/kernel/attend.hpp>
#include <tessera/mask/density.hpp>
#include <tessera/mask/parse.hpp>
#include <tessera/reference/attention.hpp>

#include "support/race.hpp"

namespace {

using namespace tessera;
using benchmark::Contender;

struct Settings {
    std::vector<std::string> masks{"full", "causal", "window 256"};
    std::vector<Index> lengths{257, 1024, 2048}, dims{64};
    std::vector<std::string> types{"f32"};
    Index queries = 0;  // 0: as many as keys
    Index heads = 12;
    std::vector<int> threads{kernel::threads()};
    std::vector<std::string> algorithms{"eigen", "fused"};
    double seconds = 0.2;
    std::string json, csv;
};

struct Case {
    std::string mask, type;
    Index heads, queries, keys, dim;
    int threads;
};

struct Operands {
    Tensor<float, dyn, dyn> q, k, v, out;
    Tensor<bf16, dyn, dyn> q16, k16, v16;
    explicit Operands(const Case& c)
        : q({c.queries, c.heads * c.dim}),
          k({c.keys, c.heads * c.dim}),
          v(k),
          out(q),
          q16(q.extents()),
          k16(k.extents()),
          v16(k16) {
        std::minstd_rand random(1);
        const auto fill = [&](auto& x, auto& x16) {
            for (Index i = 0; i < x.size(); ++i) {
                x.data()[i] = static_cast<float>(random() % 2000) * 1e-3f - 1;
                x16.data()[i] = to_bf16(x.data()[i]);
            }
        };
        fill(q, q16), fill(k, k16), fill(v, v16);
    }
};

/// One call of `algorithm`.
template <Mask M>
void attend(const std::string& algorithm, Operands& o, const Case& c, const M& mask, Scratch& scratch) {
    const Index w = c.heads * c.dim;
    const float scale = 1 / std::sqrt(static_cast<float>(c.dim));
    if (algorithm == "reference")
        reference::attention(o.out.view(), o.q.view(), o.k.view(), o.v.view(), c.heads, double{scale}, mask);
    else if (algorithm == "eigen")
        benchmark::attend_with_eigen(o.out.data(), o.q.data(), o.k.data(), o.v.data(), c.heads, c.queries, c.keys,
                                     c.dim, mask);
    else {
        const kernel::AttendShape shape{.heads = c.heads,
                                        .queries = c.queries,
                                        .keys = c.keys,
                                        .dim = c.dim,
                                        .q_stride = w,
                                        .k_stride = w,
                                        .v_stride = w,
                                        .out_stride = w,
                                        .scale = scale};
        if (c.type == "bf16")
            kernel::attend(o.out.data(), o.q16.data(), o.k16.data(), o.v16.data(), shape, mask, scratch);
        else
            kernel::attend(o.out.data(), o.q.data(), o.k.data(), o.v.data(), shape, mask, scratch);
    }
}

/// The table, on the terminal and in the files.
class Table {
  public:
    explicit Table(const Settings& settings) : settings_(settings) {
        std::printf("%-32s %24s %2s %-10s | %10s %7s %7s %6s | %7s %6s %9s\n", "", "heads x queries x keys x d", "t",
                    "", "ms", "GF/s", "dense", "/peak", "visible", "live", "time/full");
    }
    ~Table() {
        if (!settings_.json.empty()) std::ofstream(settings_.json) << "{\"attentions\": [\n" << json_ << "\n]}\n";
        if (!settings_.csv.empty())
            std::ofstream(settings_.csv) << "mask,heads,queries,keys,dim,type,threads,algorithm,seconds,gflops,dense_"
                                            "gflops,peak_gflops,share_of_peak,visible,live,over_full\n"
                                         << csv_;
    }

    void rows(const Case& c, double peak) {
        const AnyMask mask = parse_mask(c.mask, c.queries, c.keys);
        const Density density(mask, c.queries, c.keys);
        Operands data(c);
        Scratch scratch;
        std::vector<Contender> all;
        for (const std::string& algorithm : settings_.algorithms) {
            if (c.type != "f32" && algorithm != "fused") continue;
            all.push_back({algorithm, [&](int) { attend(algorithm, data, c, mask, scratch); }});
            all.push_back({algorithm + " without", [&](int) { attend(algorithm, data, c, Full{}, scratch); }});
        }
        time_all(all);
        const double dense = 4e-9 * static_cast<double>(c.heads * c.queries * c.keys * c.dim);
        for (std::size_t i = 0; i < all.size(); i += 2) {
            const double time = all[i].best, speed = dense * density.share() / time;
            std::printf("%-32s %4td x %5td x %5td x %3td %2d %-10s | %10.4f %7.1f %7.1f %6.3f | %7.3f %6.3f %9.3f\n",
                        c.mask.c_str(), c.heads, c.queries, c.keys, c.dim, c.threads,
                        (c.type == "f32" ? all[i].name : all[i].name + " " + c.type).c_str(), 1e3 * time, speed,
                        dense / time, speed / peak, density.share(), density.live_share(), time / all[i + 1].best);
            std::fflush(stdout);
            write(c, all[i].name, time, speed, dense / time, peak, density, time / all[i + 1].best);
        }
    }

  private:
    /// In turns; but the reference, which can take minutes, once.
    void time_all(std::vector<Contender>& all) const {
        std::vector<Contender> quick;
        for (Contender& one : all)
            if (one.name.starts_with("reference"))
                one.best = benchmark::seconds([&] { one.run(0); });
            else
                quick.push_back(one);
        benchmark::race(quick, settings_.seconds);
        for (Contender& one : all)
            for (const Contender& timed : quick)
                if (one.name == timed.name) one.best = timed.best;
    }

    void write(const Case& c, const std::string& algorithm, double time, double speed, double dense, double peak,
               const Density& density, double over_full) {
        const std::pair<const char*, double> numbers[] = {{"heads", static_cast<double>(c.heads)},
                                                          {"queries", static_cast<double>(c.queries)},
                                                          {"keys", static_cast<double>(c.keys)},
                                                          {"dim", static_cast<double>(c.dim)},
                                                          {"threads", c.threads},
                                                          {"seconds", time},
                                                          {"gflops", speed},
                                                          {"dense_gflops", dense},
                                                          {"peak_gflops", peak},
                                                          {"share_of_peak", speed / peak},
                                                          {"visible", density.share()},
                                                          {"live", density.live_share()},
                                                          {"over_full", over_full}};
        json_ += (json_.empty() ? "" : ",\n") + std::string("  {\"mask\": \"") + c.mask + "\", \"type\": \"" + c.type +
                 "\", \"algorithm\": \"" + algorithm + "\"";
        csv_ += c.mask;
        for (const auto& [name, number] : numbers) {
            char text[40];
            std::snprintf(text, sizeof text, "%.6g", number);
            json_ += std::string(", \"") + name + "\": " + text;
            csv_ += (std::string(name) == "threads" ? "," + c.type + "," : ",") + std::string(text) +
                    (std::string(name) == "threads" ? "," + algorithm : "");
        }
        json_ += "}";
        csv_ += "\n";
    }

    const Settings& settings_;
    std::string json_, csv_;
};

/// The expression with half the length in the place of H.
std::string with_half(std::string mask, Index length) {
    for (std::size_t at = mask.find('H'); at != std::string::npos; at = mask.find('H', at))
        mask.replace(at, 1, std::to_string(length / 2));
    return mask;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    CLI::App app{"Attention over every combination of mask, length, head dimension, threads and algorithm"};
    const auto list = [&](const char* name, auto& values, const char* what) {
        return app.add_option(name, values, what)->delimiter(',')->capture_default_str();
    };
    list("--masks", settings.masks, "Expressions as `tessera mask` reads them; H: half the length");
    list("--lengths", settings.lengths, "Keys")->check(CLI::PositiveNumber);
    list("--dims", settings.dims, "Of a head")->check(CLI::PositiveNumber);
    list("--types", settings.types, "f32, bf16; of queries, keys and values")->check(CLI::IsMember({"f32", "bf16"}));
    list("--threads", settings.threads, "How many")->check(CLI::Range(1, 1024));
    list("--algorithms", settings.algorithms, "reference, eigen, fused")
        ->check(CLI::IsMember({"reference", "eigen", "fused"}));
    app.add_option("--queries", settings.queries, "0: as many as keys")->check(CLI::NonNegativeNumber);
    app.add_option("--heads", settings.heads, "How many")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--seconds", settings.seconds, "For each row, about")->capture_default_str();
    app.add_option("--json", settings.json, "Writes the rows to this file too");
    app.add_option("--csv", settings.csv, "Writes the rows to this file too");
    CLI11_PARSE(app, argc, argv);
    try {
        Table table(settings);
        for (const int threads : settings.threads) {
            kernel::set_threads(threads);
            const double peak = benchmark::multiply_add_peak();
            for (const Index dim : settings.dims)
                for (const Index length : settings.lengths)
                    for (const std::string& type : settings.types)
                        for (const std::string& mask : settings.masks)
                            table.rows({with_half(mask, length), type, settings.heads,
                                        settings.queries > 0 ? settings.queries : length, length, dim, threads},
                                       peak);
        }
    } catch (const std::exception& error) {
        std::cerr << "mask_sweep: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
