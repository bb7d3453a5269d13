// Work on several threads. The only place for OpenMP; compiled without it, everything here runs on the calling thread.
// Which thread does a task never shows in the result: tasks write apart and each is computed the same way wherever it
// runs.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <tessera/core/view.hpp>
#if defined(_OPENMP)
#include <omp.h>
#endif

namespace tessera::inline TESSERA_ISA::kernel::inline
#if defined(_OPENMP)
    openmp
#else
    serial
#endif
{

/// How many threads a loop that starts here may use: 1 inside another loop.
inline int threads() {
#if defined(_OPENMP)
    return omp_in_parallel() ? 1 : omp_get_max_threads();
#else
    return 1;
#endif
}

/// Floating-point operations from which on a loop is worth more than one thread: some 10 to 50 microseconds of one. A region of
/// OpenMP costs 2 of them where its threads are awake; where the processors are busy with other programs, its end waits until
/// each thread has had its turn, which may take milliseconds.
inline constexpr Index worth_threads = Index{1} << 20;
/// For loops whose tasks are always worth a thread.
inline constexpr Index always = PTRDIFF_MAX;

/// Detail: how many threads a loop of so many operations may use.
inline int threads_for(Index flops) { return flops < worth_threads ? 1 : threads(); }

/// How many threads loops that start later on this thread may use, until it is said otherwise.
inline void set_threads([[maybe_unused]] int count) {
#if defined(_OPENMP)
    omp_set_num_threads(std::max(count, 1));
#endif
}

/// Calls f(task) for every task in [0, tasks), neighbouring tasks on the same thread: for tasks of equal cost, which do
/// `flops` operations together.
/// errors  f must not throw
template <class F>
void parallel_for(Index tasks, const F& f, [[maybe_unused]] Index flops = always) {
#if defined(_OPENMP)
    if (tasks > 1 && threads_for(flops) > 1) {
#pragma omp parallel for schedule(static)
        for (Index task = 0; task < tasks; ++task) f(task);
        return;
    }
#endif
    for (Index task = 0; task < tasks; ++task) f(task);
}

/// The same where costs differ: a thread takes the next task when it is free. Put the longest tasks first.
template <class F>
void parallel_for_dynamic(Index tasks, const F& f, [[maybe_unused]] Index flops = always) {
#if defined(_OPENMP)
    if (tasks > 1 && threads_for(flops) > 1) {
#pragma omp parallel for schedule(dynamic, 1)
        for (Index task = 0; task < tasks; ++task) f(task);
        return;
    }
#endif
    for (Index task = 0; task < tasks; ++task) f(task);
}

/// The same for f(task, worker), where worker < threads() tells apart tasks that run at the same time: for memory of
/// their own.
template <class F>
void parallel_for_workers(Index tasks, const F& f, [[maybe_unused]] Index flops = always) {
#if defined(_OPENMP)
    if (tasks > 1 && threads_for(flops) > 1) {
#pragma omp parallel for schedule(dynamic, 1)
        for (Index task = 0; task < tasks; ++task) f(task, Index{omp_get_thread_num()});
        return;
    }
#endif
    for (Index task = 0; task < tasks; ++task) f(task, Index{0});
}

/// Calls f(begin, end) once on each thread, with its share of [0, count): for work that gains from neighbours being
/// done together. Where the shares end depends on the number of threads, so f must compute each item the same in any
/// share.
template <class F>
void parallel_ranges(Index count, const F& f, [[maybe_unused]] Index flops = always) {
#if defined(_OPENMP)
    if (count > 1 && threads_for(flops) > 1) {
#pragma omp parallel num_threads(static_cast <int>(std::min <Index>(count, threads())))
        {
            const Index team = omp_get_num_threads();
            const Index self = omp_get_thread_num();
            const Index begin = count * self / team;
            const Index end = count * (self + 1) / team;
            if (begin < end) f(begin, end);
        }
        return;
    }
#endif
    if (count > 0) f(Index{0}, count);
}

/// Detail: what is left of a thread's share, taken from both ends.
class alignas(64) Share {
  public:
    /// Not while others take from it; ends below 2³².
    void set(Index begin, Index end) { range_.store(pack(begin, end), std::memory_order_relaxed); }

    /// Calls f(begin, end) with up to `piece` items at the front, which the owner takes, or at the back, which others
    /// take. False if nothing is left.
    template <class F>
    bool take(Index piece, bool front, const F& f) {
        std::uint64_t range = range_.load(std::memory_order_relaxed);
        for (;;) {
            const auto begin = static_cast<Index>(range >> 32), end = static_cast<Index>(range & 0xffffffffu);
            if (begin >= end) return false;
            const Index cut = front ? std::min(begin + piece, end) : std::max(end - piece, begin);
            if (range_.compare_exchange_weak(range, front ? pack(cut, end) : pack(begin, cut),
                                             std::memory_order_relaxed)) {
                if (front)
                    f(begin, cut);
                else
                    f(cut, end);
                return true;
            }
        }
    }

  private:
    static std::uint64_t pack(Index begin, Index end) {
        return static_cast<std::uint64_t>(begin) << 32 | static_cast<std::uint64_t>(end);
    }
    std::atomic<std::uint64_t> range_{0};
};

/// Calls f(begin, end) for ranges of up to `piece` items that cover [0, count) together. Each thread goes through its own
/// share in order, as in parallel_ranges, and then helps those that came late or were held up: no thread waits for longer
/// than a piece takes.
template <class F>
void parallel_pieces(Index count, Index piece, const F& f, [[maybe_unused]] Index flops = always) {
    piece = std::max(piece, Index{1});
#if defined(_OPENMP)
    constexpr Index most = 128;
    const Index team = std::min({(count + piece - 1) / piece, Index{threads_for(flops)}, most});
    if (team > 1 && count >> 32 == 0) {
        std::array<Share, most> shares;
        for (Index i = 0; i < team; ++i)
            shares[static_cast<std::size_t>(i)].set(count * i / team, count * (i + 1) / team);
#pragma omp parallel num_threads(static_cast <int>(team))
        {
            const Index self = omp_get_thread_num();
            for (Index i = 0; i < team; ++i) {
                Share& share = shares[static_cast<std::size_t>((self + i) % team)];
                while (share.take(piece, i == 0, f)) {}
            }
        }
        return;
    }
#endif
    for (Index begin = 0; begin < count; begin += piece) f(begin, std::min(begin + piece, count));
}

}  // namespace tessera::inline TESSERA_ISA::kernel::inline openmp
