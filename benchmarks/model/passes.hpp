// What the programs of this folder share: forward passes of real shapes over random weights, one after another.
#pragma once
#include <tessera/core/visit.hpp>

#include "support/run.hpp"

namespace tessera::bench {

/// A forward pass whose weights are there.
struct Ready {
    std::function<void()> run;
    double flops = 0;  // useful ones of a call
    double bytes = 0;  // of the weights a call reads
};

/// Adds a forward pass for each way to keep weights. `make` sets them; they live as long as what it returns.
inline void add(const std::string& name, std::initializer_list<DType> kinds, Ready (*make)(DType)) {
    for (const DType stored : kinds) {
        const std::string full = name + (stored == DType::bf16 ? "/bf16" : stored == DType::i8 ? "/i8" : "/f32");
        add(full, [=](State& state) {
            static std::string there;
            static Ready ready;
            if (there != full) {
                ready = {};  // never the weights of two
                ready = make(stored);
                there = full;
            }
            measure(state, {.flops = ready.flops, .bytes = ready.bytes}, [](Index) { ready.run(); });
        });
    }
}

/// One pass after another: setting weights takes seconds.
inline int run_passes(int argc, char** argv) {
    return run(
        argc, argv,
        {"--benchmark_enable_random_interleaving=false", "--benchmark_repetitions=5", "--benchmark_min_time=0.2"});
}

/// [rows, Width] of values between −1 and 1.
template <Index Width>
Tensor<float, dyn, Width> random_rows(Index rows) {
    Tensor<float, dyn, Width> x({rows, Width});
    std::copy_n(numbers(x.size()), x.size(), x.data());
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

}  // namespace tessera::bench
