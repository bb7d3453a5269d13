#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <tessera/kernel/parallel.hpp>
#include <thread>
#include <vector>

namespace kernel_parallel {
using namespace tessera;

TEST_CASE("parallel_pieces covers every item once, whatever the piece and the number of threads") {
    const int before = kernel::threads();
    for (const int threads : {1, 2, 3, 7}) {
        kernel::set_threads(threads);
        for (const Index count : {0, 1, 2, 5, 64, 1000})
            for (const Index piece : {1, 3, 64, 2000}) {
                std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
                std::atomic<bool> too_long = false;
                kernel::parallel_pieces(count, piece, [&](Index begin, Index end) {
                    if (end - begin > piece) too_long = true;
                    for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
                });
                bool once = true;
                for (const auto& n : visits) once = once && n == 1;
                CHECK(once);
                CHECK(!too_long);
            }
    }
    kernel::set_threads(before);
}

TEST_CASE("loops of little work stay on the thread that calls them, those of much work do not") {
    const int before = kernel::threads();
    kernel::set_threads(2);
    const auto here = std::this_thread::get_id();
    for (const Index flops : {Index{0}, kernel::worth_threads - 1}) {
        bool elsewhere = false;  // no thread but this one writes to it
        const auto look = [&] { elsewhere = elsewhere || std::this_thread::get_id() != here; };
        kernel::parallel_for(
            8, [&](Index) { look(); }, flops);
        kernel::parallel_for_dynamic(
            8, [&](Index) { look(); }, flops);
        kernel::parallel_for_workers(
            8, [&](Index, Index worker) { elsewhere = elsewhere || worker != 0; }, flops);
        kernel::parallel_ranges(
            8, [&](Index, Index) { look(); }, flops);
        kernel::parallel_pieces(
            8, 1, [&](Index, Index) { look(); }, flops);
        CHECK(!elsewhere);
    }
#if defined(_OPENMP)
    std::atomic<int> shares = 0;
    kernel::parallel_ranges(
        8, [&](Index, Index) { ++shares; }, kernel::worth_threads);
    CHECK(shares == 2);
#endif
    kernel::set_threads(before);
}

#if defined(_OPENMP)
TEST_CASE("parallel_pieces: who has finished helps who is held up") {
    const int before = kernel::threads();
    kernel::set_threads(2);
    std::atomic<int> held_up = 0, others = 0;
    kernel::parallel_pieces(20, 1, [&](Index begin, Index) {
        if (begin == 0) {  // its thread waits until the other one has done all the rest
            held_up = omp_get_thread_num() + 1;
            for (int i = 0; i < 10'000 && others < 19; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        } else {
            ++others;
        }
    });
    CHECK(held_up > 0);
    CHECK(others == 19);
    kernel::set_threads(before);
}
#endif

}  // namespace kernel_parallel
