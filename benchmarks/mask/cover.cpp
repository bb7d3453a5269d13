// What it costs to find out which tiles of a mask are skipped, masked and whole: the class map of one head, and what
// is kept of it. Best of several turns, one thread.
//     cover [--length N] [--tile N] [--only TEXT]
// `exact` is how many tiles the mask's own `cover` tells without a look at single scores. A map is made once for all
// heads, layers and steps.
#include <cstdio>
#include <string>
#include <tessera/masks.hpp>

#include "support/machine.hpp"

namespace {

using namespace tessera;

struct Settings {
    Index length = 16384, tile = 32;
    std::string only;
};

template <Mask M>
void row(const Settings& settings, const char* name, const M& mask) {
    if (std::string(name).find(settings.only) == std::string::npos) return;
    const Index n = settings.length, side = settings.tile;
    double best = 1e9;
    Index bytes = 0, none = 0, some = 0, all = 0;
    for (double spent = 0; spent < 0.5;) {
        const double once = benchmark::seconds([&] {
            Classes classes(mask, n, n, 0, side, side);
            benchmark::keep(classes);
            bytes = classes.bytes();
            if (spent == 0)
                none = classes.count(Cover::none), some = classes.count(Cover::some), all = classes.count(Cover::all);
        });
        if (spent > 0) best = std::min(best, once);
        spent += once;
        if (once > 0.5) best = std::min(best, once);
    }
    std::printf("%-34s | %9.3f | %8td | %8td %8td %8td | %s\n", name, 1e3 * best, bytes / 1024, none, some, all,
                exact(mask) ? "all" : "-");
    std::fflush(stdout);
}

Settings parse(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i], value = argv[i + 1];
        if (option == "--length") settings.length = std::stol(value);
        if (option == "--tile") settings.tile = std::stol(value);
        if (option == "--only") settings.only = value;
    }
    return settings;
}

}  // namespace

int main(int argc, char** argv) {
    const Settings settings = parse(argc, argv);
    const Index n = settings.length, quarter = n / 4;
    std::printf("%td x %td scores, tiles of %td x %td\n\n", n, n, settings.tile, settings.tile);
    std::printf("%-34s | %9s | %8s | %8s %8s %8s | %s\n", "", "ms", "KiB", "skipped", "masked", "whole", "exact");
    row(settings, "full", Full{});
    row(settings, "causal", Causal{});
    row(settings, "window 256", Window{256});
    row(settings, "dilated 4, 1024 back", Dilated{.left = 1024, .step = 4});
    row(settings, "strided 128", Strided{128});
    row(settings, "prefix 1/4 | causal", masks::prefix_lm(quarter));
    row(settings, "causal & ~window 256", Causal{} & ~Window{256});
    row(settings, "uni-modal 1/4", masks::uni_modal(quarter));
    row(settings, "global 64 | window 256", masks::global_window(64, {256, 256}));
    row(settings, "sparse strided 128", masks::sparse_strided(128));
    std::vector<Index> starts{0}, ids;
    while (starts.back() < n) starts.push_back(std::min(starts.back() + 300 + 37 * starts.back() % 500, n));
    for (std::size_t s = 1; s < starts.size(); ++s)
        ids.resize(static_cast<std::size_t>(starts[s]), static_cast<Index>(s));
    row(settings, "packed, causal", Packed{starts, Causal{}});
    row(settings, "documents & causal", Documents{ids} & Causal{});
    Index height = 1;
    while (height * height < n) ++height;
    row(settings, "neighbourhood, 7 x 7 patches", Neighbourhood{height, (n + height - 1) / height, 3, 3});
    row(settings, "random blocks 64 x 64", Random{.density = 0.1, .rows = 64, .columns = 64});
    row(settings, "random blocks & causal", Random{.density = 0.1, .rows = 64, .columns = 64} & Causal{});
    std::vector<Index> parents;
    for (Index i = 0; i < n; ++i) parents.push_back(i % 64 == 0 ? -1 : i - i % 64 + (i % 64 - 1) / 2);
    row(settings, "tree of 64 nodes each", Tree{parents});
    row(settings, "lambda", Where{[](Index query, Index key) { return key <= query && (query ^ key) % 3 != 0; }});
    row(settings, "lambda & window 256",
        Where{[](Index query, Index key) { return (query ^ key) % 3 != 0; }} & Window{256});
}
