// What the programs of this folder share: forward passes of real shapes over random weights, one after another, each as a
// share of what the machine can do.
#pragma once
#include <cstdio>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <tessera/core/visit.hpp>
#include <tessera/kernel/parallel.hpp>
#include <vector>

#include "support/machine.hpp"
#include "support/options.hpp"

namespace tessera::benchmark {

/// A forward pass whose weights are there.
struct Ready {
    std::function<void()> run;
    double flops;  // useful ones of a call
    double bytes;  // of the weights a call reads
};

/// A forward pass by name. `make` sets the weights, which lives as long as what it returns.
struct Pass {
    std::string name;
    std::function<Ready(Stored)> make;
};

/// [rows, Width] of values between −1 and 1.
template <Index Width>
Tensor<float, dyn, Width> random_rows(Index rows) {
    Tensor<float, dyn, Width> x({rows, Width});
    std::minstd_rand random(1);
    for (float& value : x.view()) value = static_cast<float>(random() % 2000) * 1e-3f - 1;
    return x;
}

/// Flops of attention without a mask: scores and their product with the values.
constexpr double attention_flops(Index queries, Index keys, Index width) {
    return 4.0 * static_cast<double>(queries) * static_cast<double>(keys) * static_cast<double>(width);
}

/// Flops of all matrices among the weights of `layer`, for `rows` rows.
double matrix_flops(const auto& layer, Index rows) {
    double numbers = 0;
    for_each_parameter(layer, [&](const std::string&, const auto& leaf) {
        using Kind = std::remove_cvref_t<decltype(leaf)>;
        if (Kind::rows > 1) numbers += static_cast<double>(Kind::rows) * static_cast<double>(Kind::columns);
    });
    return 2 * numbers * static_cast<double>(rows);
}

/// Seconds of the fastest of the calls that fit into about `budget` seconds, two at least. The first call, which finds the
/// caches full of other things, counts only where it is one of two long ones.
inline double best_call(const std::function<void()>& run, double budget) {
    double best = seconds(run), spent = 0;
    if (best < 0.2) best = 1e9;
    for (int calls = 0; calls < 1 || spent < budget; ++calls) {
        const double time = seconds(run);
        best = std::min(best, time);
        spent += time;
    }
    return best;
}

struct PassOptions : Options {
    std::string weights;
    bool turns = false;
};

/// Times the passes that were asked for. With --turns: each time that one is named on a line of standard input, and prints
/// the seconds; so others can be timed in between.
inline int time_passes(int argc, char** argv, const char* title, const char* default_weights,
                       const std::vector<Pass>& passes) {
    PassOptions options;
    options.weights = default_weights;
    options.seconds = 2;
    options.read(argc, argv, title, [&](CLI::App& app) {
        app.add_option("--weights", options.weights, "What weights are kept as")
            ->check(CLI::IsMember({"f32", "bf16"}))
            ->capture_default_str();
        app.add_flag("--turns", options.turns,
                     "Times what is named on a line of standard input, and prints the seconds");
    });
    const auto stored = options.weights == "bf16" ? Stored::bf16 : Stored::f32;

    if (options.turns) {
        std::string name, before;
        Ready ready;
        while (std::getline(std::cin, name)) {
            const auto pass = std::find_if(passes.begin(), passes.end(), [&](const Pass& p) { return p.name == name; });
            if (pass == passes.end()) return std::cerr << "expected the name of a pass, found '" << name << "'\n", 2;
            if (name != before) {
                ready = {};  // never the weights of two
                ready = pass->make(stored);
            }
            before = name;
            std::printf("%.9g\n", best_call(ready.run, options.seconds));
            std::fflush(stdout);
        }
        return 0;
    }

    const double peak = multiply_add_peak(), bandwidth = read_bandwidth();
    std::printf("%d threads, weights %s: peak %.1f GF/s f32; %.1f GB/s read\n\n", options.threads,
                options.weights.c_str(), peak, bandwidth);
    std::printf("%-26s %10s %8s %6s | %9s %6s\n", "", "ms", "GF/s", "/peak", "weights/s", "/read");
    Figures rows = Figures::array();
    for (const Pass& pass : passes) {
        if (!options.wants(pass.name)) continue;
        const Ready ready = pass.make(stored);
        const double time = best_call(ready.run, options.seconds);
        const double speed = 1e-9 * ready.flops / time, reads = 1e-9 * ready.bytes / time;
        std::printf("%-26s %10.3f %8.1f %6.3f | %9.2f %6.3f\n", pass.name.c_str(), 1e3 * time, speed, speed / peak,
                    reads, reads / bandwidth);
        std::fflush(stdout);
        rows.push_back({{"name", pass.name}, {"seconds", time}, {"gflops", speed}, {"weight_gb_per_s", reads}});
    }
    options.write({{"threads", options.threads},
                   {"weights", options.weights},
                   {"peak_f32", peak},
                   {"read_gb_per_s", bandwidth},
                   {"passes", std::move(rows)}});
    return 0;
}

}  // namespace tessera::benchmark
