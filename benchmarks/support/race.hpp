// Contenders for one task, timed in turns in one run, so that what disturbs the machine disturbs all of them.
#pragma once
#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "support/machine.hpp"

namespace tessera::benchmark {

/// One way of doing the task. `run` is given how often it has been called, to walk through copies of its data.
struct Contender {
    std::string name;
    std::function<void(int)> run;
    bool own_threads = false;  // not those of OpenMP, which it and the others would find still spinning
    double best = std::numeric_limits<double>::infinity();  // seconds a call
};

/// Waits until threads that have nothing to do are asleep: until then they take the processor from others.
inline void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }

/// Lets every contender run for about `budget` seconds in all, in `rounds` turns; keeps the best turn of each.
inline void race(std::vector<Contender>& contenders, double budget, int rounds = 15) {
    std::vector<int> calls(contenders.size()), per_turn(contenders.size());
    const auto settle_beside = [&](std::size_t i) {
        if (contenders[i].own_threads || (i > 0 ? contenders[i - 1] : contenders.back()).own_threads) settle();
    };
    for (std::size_t i = 0; i < contenders.size(); ++i) {  // once to warm up, then to see how long it takes
        settle_beside(i);
        contenders[i].run(calls[i]++);
        double once = std::numeric_limits<double>::infinity();
        for (int n = 0; n < 3; ++n) once = std::min(once, seconds([&] { contenders[i].run(calls[i]++); }));
        per_turn[i] = static_cast<int>(std::clamp(budget / rounds / once, 1.0, 1e6));
    }
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < contenders.size(); ++i) {
            settle_beside(i);
            contenders[i].run(calls[i]++);  // the caches hold another's data
            const double time = seconds([&] {
                for (int n = 0; n < per_turn[i]; ++n) contenders[i].run(calls[i]++);
            });
            contenders[i].best = std::min(contenders[i].best, time / per_turn[i]);
        }
}

}  // namespace tessera::benchmark
