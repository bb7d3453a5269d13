// What this machine can do at best, measured: the yardstick every speed is held against.
#pragma once
#include <algorithm>
#include <chrono>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/simd.hpp>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tessera::benchmark {

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

/// Multiply-adds on registers, the same number on each thread: nothing that computes can be faster. Returns their flops.
inline double multiply_adds(int loops = 400'000) {
    constexpr int chains = 12;
    const auto work = [loops](Index) {
        kernel::Vec sum[chains];
        kernel::unroll<chains>([&](auto c) { sum[c] = kernel::broadcast(static_cast<float>(c)); });
        auto a = kernel::broadcast(0.5f), b = kernel::broadcast(0.25f);
        keep(a), keep(b);
        for (int i = 0; i < loops; ++i) kernel::unroll<chains>([&](auto c) { sum[c] = kernel::fma(a, sum[c], b); });
        kernel::unroll<chains - 1>([&](auto c) { sum[0] += sum[c + 1]; });  // an array given to keep() lives in memory
        auto total = sum[0];
        keep(total);
    };
    kernel::parallel_for(kernel::threads(), work);
    return 2.0 * chains * loops * static_cast<double>(kernel::width) * kernel::threads();
}

/// GFLOP/s of multiply-adds on registers, all threads together.
inline double multiply_add_peak() {
    double best = 0;
    for (int i = 0; i < 16; ++i) {
        double flops = 0;
        const double time = seconds([&] { flops = multiply_adds(); });
        best = std::max(best, 1e-9 * flops / time);
    }
    return best;
}

/// GFLOP/s of bf16 dot products of pairs on registers, all threads together.
inline double dot_peak() {
    constexpr int chains = 12, loops = 400'000;
    const auto work = [](Index) {
        kernel::Vec sum[chains];
        kernel::unroll<chains>([&](auto c) { sum[c] = kernel::broadcast(static_cast<float>(c)); });
        const Buffer<bf16> zeros(2 * kernel::width);
        auto a = kernel::load_halves(zeros.data()), b = a;
        keep(a), keep(b);
        for (int i = 0; i < loops; ++i) kernel::unroll<chains>([&](auto c) { sum[c] = kernel::dot(a, b, sum[c]); });
        kernel::unroll<chains - 1>([&](auto c) { sum[0] += sum[c + 1]; });  // an array given to keep() lives in memory
        auto total = sum[0];
        keep(total);
    };
    double best = 1e9;
    for (int i = 0; i < 8; ++i) best = std::min(best, seconds([&] { kernel::parallel_for(kernel::threads(), work); }));
    return 4e-9 * chains * loops * kernel::width * kernel::threads() / best;
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

/// Bytes a second, in GB/s, that all threads together read from memory far larger than the caches.
inline double read_bandwidth() {
    constexpr Index lines = Index{1} << 24;  // 1 GiB
    constexpr Index tasks = 1024;            // of 1 MB
    Buffer<float> memory(lines * 16);
#if defined(__linux__)
    const auto page = (reinterpret_cast<std::uintptr_t>(memory.data()) + 4095) / 4096 * 4096;
    ::madvise(reinterpret_cast<void*>(page), static_cast<std::size_t>(memory.size()) * 4 - 4096, MADV_HUGEPAGE);
#endif
    kernel::parallel_for(
        tasks, [&](Index t) { std::fill_n(memory.data() + memory.size() / tasks * t, memory.size() / tasks, 1.0f); });
    const auto work = [&](Index t) { read(memory.data() + memory.size() / tasks * t, memory.size() / tasks); };
    double best = 1e9;
    for (int i = 0; i < 10; ++i) best = std::min(best, seconds([&] { kernel::parallel_for(tasks, work); }));
    return 1e-9 * static_cast<double>(memory.size()) * 4 / best;
}

}  // namespace tessera::benchmark
