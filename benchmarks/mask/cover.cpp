// What it costs to find out which tiles of a mask are skipped, masked and whole: the class map of one head, and what
// is kept of it, on one thread. A map is made once for all heads, layers and steps.
//     cover [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// `exact`: whether the mask's own `cover` tells every tile without a look at single scores.
#include <tessera/study.hpp>

#include "support/run.hpp"

namespace {

using namespace tessera;

constexpr Index n = 16384, side = 32;  // scores and tiles are n x n and side x side

template <Mask M>
void add(const std::string& name, const M& mask) {
    bench::add(name, [=](bench::State& state) {
        bench::measure(state, {}, [&](Index) {
            BlockMap map(mask, n, n, 0, side, side);
            bench::keep(map);
        });
        const BlockMap map(mask, n, n, 0, side, side);
        state.counters["KiB"] = static_cast<double>(map.bytes()) / 1024;
        state.counters["skipped"] = static_cast<double>(map.count(Cover::empty));
        state.counters["masked"] = static_cast<double>(map.count(Cover::partial));
        state.counters["whole"] = static_cast<double>(map.count(Cover::full));
        state.counters["exact"] = masks::cover_is_exact(mask);
    });
}

}  // namespace

int main(int argc, char** argv) {
    constexpr Index quarter = n / 4;
    add("full", Full{});
    add("causal", Causal{});
    add("window 256", Window{256});
    add("dilated 4, 1024 back", Dilated{.left = 1024, .step = 4});
    add("strided 128", Strided{128});
    add("prefix 1/4 | causal", masks::prefix_lm(quarter));
    add("causal & ~window 256", Causal{} & ~Window{256});
    add("uni-modal 1/4", masks::uni_modal(quarter));
    add("global 64 | window 256", masks::global_window(64, {256, 256}));
    add("sparse strided 128", masks::sparse_strided(128));
    std::vector<Index> starts{0}, ids;
    while (starts.back() < n) starts.push_back(std::min(starts.back() + 300 + 37 * starts.back() % 500, n));
    for (std::size_t s = 1; s < starts.size(); ++s)
        ids.resize(static_cast<std::size_t>(starts[s]), static_cast<Index>(s));
    add("packed, causal", Packed{starts, Causal{}});
    add("documents & causal", Documents{ids} & Causal{});
    Index height = 1;
    while (height * height < n) ++height;
    add("neighborhood, 7 x 7 patches", Neighborhood{height, (n + height - 1) / height, 3, 3});
    add("random blocks 64 x 64", Random{.density = 0.1, .rows = 64, .columns = 64});
    add("random blocks & causal", Random{.density = 0.1, .rows = 64, .columns = 64} & Causal{});
    std::vector<Index> parents;
    for (Index i = 0; i < n; ++i) parents.push_back(i % 64 == 0 ? -1 : i - i % 64 + (i % 64 - 1) / 2);
    add("tree of 64 nodes each", Tree{parents});
    add("lambda", Predicate{[](Index query, Index key) { return key <= query && (query ^ key) % 3 != 0; }});
    add("lambda & window 256", Predicate{[](Index query, Index key) { return (query ^ key) % 3 != 0; }} & Window{256});
    return bench::run(argc, argv);
}
