// What this machine can do at best, measured: the yardstick every speed is held against.
#pragma once
#include <algorithm>
#include <chrono>
#include <limits>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/simd/vec.hpp>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tessera::bench {

/// Seconds that `f` takes.
template <class F>
double seconds(const F& f) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Keeps the compiler from leaving out what led to `x`.
template <class T>
void keep(T& x) {
    asm volatile("" : : "g"(&x) : "memory");
}

/// GFLOP/s that all threads together reach with sum = step(sum) on registers, `flops` operations a step.
template <class Step>
double register_peak(double flops, const Step& step) {
    constexpr int chains = 12, loops = 400'000;
    const auto work = [&step](Index) {
        const Step own = step;  // in registers
        kernel::Vec sum[chains];
        kernel::unroll<chains>([&](auto c) { sum[c] = kernel::broadcast(static_cast<float>(c)); });
        for (int i = 0; i < loops; ++i) kernel::unroll<chains>([&](auto c) { sum[c] = own(sum[c]); });
        kernel::unroll<chains - 1>([&](auto c) { sum[0] += sum[c + 1]; });  // an array given to keep() lives in memory
        auto total = sum[0];
        keep(total);
    };
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 5; ++i) best = std::min(best, seconds([&] { kernel::parallel_for(kernel::threads(), work); }));
    return 1e-9 * flops * chains * loops * kernel::threads() / best;
}

/// GFLOP/s of multiply-adds on registers at this moment: nothing that computes in floats can be faster.
inline double multiply_add_peak() {
    auto a = kernel::broadcast(0.5f), b = kernel::broadcast(0.25f);
    keep(a), keep(b);
    return register_peak(2.0 * kernel::width, [a, b](kernel::Vec sum) { return kernel::fma(a, sum, b); });
}

/// GFLOP/s of bf16 dot products of pairs on registers at this moment.
inline double dot_peak() {
    const Buffer<bf16> zeros(2 * kernel::width);
    auto a = kernel::load_halves(zeros.data()), b = a;
    keep(a), keep(b);
    return register_peak(4.0 * kernel::width, [a, b](kernel::Vec sum) { return kernel::dot(a, b, sum); });
}

/// Reads `count` floats, a multiple of 32 vectors, in four streams: the processor fetches ahead in each, and one alone
/// does not keep the memory busy.
inline void read(const float* p, Index count) {
    constexpr int streams = 4, vectors = 2;
    const Index apart = count / streams;
    kernel::Vec sum[streams * vectors];
    kernel::unroll<streams * vectors>([&](auto c) { sum[c] = kernel::broadcast(0.0f); });
    for (Index i = 0; i < apart; i += vectors * kernel::width)
        kernel::unroll<streams * vectors>(
            [&](auto c) { sum[c] += kernel::load(p + i + c / vectors * apart + c % vectors * kernel::width); });
    kernel::unroll<streams * vectors - 1>([&](auto c) { sum[0] += sum[c + 1]; });
    auto total = sum[0];
    keep(total);
}

/// Bytes a second, in GB/s, that all threads together read at this moment from memory far larger than the caches.
inline double read_bandwidth() {
    constexpr Index tasks = 512, count = Index{1} << 18;  // of 1 MB
    static const Buffer<float> memory = [] {
        Buffer<float> all(tasks * count);
#if defined(__linux__)
        const auto page = (reinterpret_cast<std::uintptr_t>(all.data()) + 4095) / 4096 * 4096;
        ::madvise(reinterpret_cast<void*>(page), static_cast<std::size_t>(all.size()) * 4 - 4096, MADV_HUGEPAGE);
#endif
        std::fill_n(all.data(), all.size(), 1.0f);
        return all;
    }();
    const auto work = [](Index t) { read(memory.data() + count * t, count); };
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 2; ++i) best = std::min(best, seconds([&] { kernel::parallel_for(tasks, work); }));
    return 1e-9 * static_cast<double>(memory.size()) * 4 / best;
}

}  // namespace tessera::bench
