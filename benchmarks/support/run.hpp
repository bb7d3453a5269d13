// What the programs that time something share, around Google Benchmark: the numbers they compute with, what a
// repetition tells, and main. Threads are those that OMP_NUM_THREADS allows.
#pragma once
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/machine.hpp"

namespace tessera::bench {

using State = ::benchmark::State;

/// The same numbers between −1 and 1 every time, at least `count`; they move when more are asked for.
inline const float* numbers(Index count) {
    static std::vector<float> all;
    static std::minstd_rand random(1);
    while (std::ssize(all) < count) all.push_back(static_cast<float>(random() % 2000) * 1e-3f - 1);
    return all.data();
}

/// What a call does, as far as it is to be told.
struct Work {
    std::optional<double> flops = {};      // useful ones
    std::optional<double> bytes = {};      // that have to come from memory
    double (*peak)() = multiply_add_peak;  // of the flops
    bool own_threads = false;              // not those of OpenMP, which it and the others would find still spinning
};

/// One repetition: times `call`, which is given how often it was called before, to walk through copies of its data; and
/// holds it against what the machine can do at this moment. Returns the seconds of a call.
template <class Call>
double measure(State& state, const Work& work, const Call& call) {
    static bool spinning = false;
    static Index calls = 0;
    if (work.own_threads || spinning) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    spinning = work.own_threads;
    call(calls++);  // the caches hold another's data
    double time = 0;
    for (auto _ : state) {
        const double once = seconds([&] { call(calls++); });
        state.SetIterationTime(once);
        time += once;
    }
    time /= static_cast<double>(state.iterations());
    double least = 0;  // seconds
    if (work.flops) {
        const double at_peak = 1e-9 * *work.flops / work.peak();
        state.counters["GF/s"] = 1e-9 * *work.flops / time;
        state.counters["of peak"] = at_peak / time;
        least = at_peak;
    }
    if (work.bytes) {
        state.counters["GB/s"] = 1e-9 * *work.bytes / time;
        state.counters["of limit"] = std::max(least, 1e-9 * *work.bytes / read_bandwidth()) / time;
    }
    return time;
}

/// Manual time, because `measure` needs it too, and a `State` does not tell what it has measured.
inline ::benchmark::internal::Benchmark* add(const std::string& name, const std::function<void(State&)>& run) {
    return ::benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime();
}

/// Shows the fastest repetition of each benchmark, with its own counters, which no statistic over all of them would
/// tell; in the order in which they were added, which is not that in which they end.
class Fastest : public ::benchmark::ConsoleReporter {
  public:
    Fastest() : ConsoleReporter(OO_Tabular) {}
    void ReportRuns(const std::vector<Run>& runs) override {
        if (runs.front().run_type == Run::RT_Aggregate) {  // if it was asked for nothing else
            if (!fastest_.contains(runs.front().family_index)) ConsoleReporter::ReportRuns(runs);
            return;
        }
        const auto faster = [](const Run& a, const Run& b) {
            return a.GetAdjustedRealTime() < b.GetAdjustedRealTime();
        };
        fastest_.emplace(runs.front().family_index, *std::min_element(runs.begin(), runs.end(), faster));
        for (auto next = fastest_.find(shown_); next != fastest_.end(); next = fastest_.find(++shown_))
            ConsoleReporter::ReportRuns({next->second});
    }

  private:
    std::map<std::int64_t, Run> fastest_;
    std::int64_t shown_ = 0;
};

/// Runs what has been added, as the command line says. In turns, unless `defaults` or the command line say otherwise.
inline int run(int argc, char** argv, const std::vector<std::string>& defaults = {}) try {
    std::vector<std::string> words{argv[0], "--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=10",
                                   "--benchmark_min_time=0.02"};
    words.insert(words.end(), defaults.begin(), defaults.end());
    words.insert(words.end(), argv + 1, argv + argc);  // the last of two that differ holds
    std::vector<char*> arguments;
    for (std::string& word : words) {
        if (word == "--help") return ::benchmark::PrintDefaultHelp(), 0;
        if (word.starts_with("--benchmark_repetitions=") && std::atoi(word.data() + word.find('=') + 1) < 1)
            throw std::invalid_argument(word + ": expected a number from 1");
        arguments.push_back(word.data());
    }
    int count = static_cast<int>(arguments.size());
    ::benchmark::SetDefaultTimeUnit(::benchmark::kMillisecond);
    ::benchmark::Initialize(&count, arguments.data(), [] {  // it would end well
        std::fputs("an option has a value that it cannot have; --help lists those it can\n", stderr);
        std::exit(1);
    });
    if (::benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
    ::benchmark::AddCustomContext("threads", std::to_string(kernel::threads()));
    auto* reporter = ::benchmark::CreateDefaultDisplayReporter();
    Fastest fastest;
    if (dynamic_cast<::benchmark::ConsoleReporter*>(reporter)) reporter = &fastest;
    return ::benchmark::RunSpecifiedBenchmarks(reporter) == 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
}

}  // namespace tessera::bench
