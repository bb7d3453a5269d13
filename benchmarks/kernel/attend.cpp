// Attention under masks, against the measured peak of the machine, with plain loops over Eigen's products beside it.
//     attend [--threads N] [--seconds S] [--only TEXT] [--alone] [--json FILE]
// GF/s of useful work, 4·d flops for each visible score; `live` is the share of 32 × 32 tiles in which anything is
// visible, `time/full` the time over that without a mask; both should be about the same. Best of several turns.
#include <cmath>
#include <cstdio>
#include <random>
#include <tessera/kernel/attend.hpp>
#include <tessera/masks.hpp>

#include "support/options.hpp"
#include "support/race.hpp"
#include "with_eigen.hpp"

namespace {

using namespace tessera;
using benchmark::Contender;

struct Settings : benchmark::Options {
    bool alone = false;
};

struct Shape {
    Index heads, queries, keys, dim;
    bool cold = false;  // whether keys and values come from memory, as a cache of past tokens does, not from the caches
};

struct Operands {
    Tensor<float, dyn, dyn> q, k, v, out;
    explicit Operands(const Shape& s) : q({s.queries, s.heads * s.dim}), k({s.keys, s.heads * s.dim}), v(k), out(q) {
        std::minstd_rand random(1);
        for (auto* x : {&q, &k, &v})
            for (float& value : x->view()) value = static_cast<float>(random() % 2000) * 1e-3f - 1;
    }
};

/// What the two columns about the mask say.
struct Visible {
    double scores = 0, tiles = 0, all_tiles = 0;

    template <Mask M>
    Visible(const M& mask, const Shape& s) {
        constexpr Index side = 32;
        for (Index h = 0; h < s.heads; ++h)
            for (Index q = 0; q < s.queries; q += side)
                for (Index k = 0; k < s.keys; k += side) {
                    Index seen = 0;
                    for (Index i = q; i < std::min(q + side, s.queries); ++i)
                        for (Index j = k; j < std::min(k + side, s.keys); ++j) seen += mask.allows(Site{h, i, j});
                    scores += static_cast<double>(seen);
                    tiles += seen > 0;
                    ++all_tiles;
                }
    }
};

class Table {
  public:
    explicit Table(const Settings& settings) : settings_(settings), peak_(benchmark::multiply_add_peak()) {
        std::printf("%d threads: peak %.1f GF/s\n\n", settings.threads, peak_);
        std::printf("%-22s %24s | %9s %7s %6s | %6s %9s | %6s\n", "", "heads x queries x keys x d", "ms", "GF/s",
                    "/peak", "live", "time/full", "Eigen");
    }

    template <Mask M>
    void row(const char* name, Shape s, const M& mask) {
        if (!settings_.wants(name)) return;
        const Index each = s.heads * s.dim * (2 * s.keys + 2 * s.queries) * Index{sizeof(float)};
        std::vector<Operands> data(static_cast<std::size_t>(s.cold ? (Index{200} << 20) / each + 2 : 1), Operands(s));
        Scratch scratch;
        const auto ours = [&](const char* title, const auto& any) {
            return Contender{title, [&](int call) {
                                 Operands& o = data[static_cast<std::size_t>(call) % data.size()];
                                 const Index w = s.heads * s.dim;
                                 kernel::attend(o.out.data(), o.q.data(), o.k.data(), o.v.data(),
                                                {s.heads, s.queries, s.keys, s.dim, w, w, w, w,
                                                 1 / std::sqrt(static_cast<float>(s.dim))},
                                                any, scratch);
                             }};
        };
        const Full full;
        std::vector<Contender> all{ours("tessera", mask), ours("unmasked", full)};
        if (!settings_.alone)
            all.push_back({"Eigen", [&](int call) {
                               Operands& o = data[static_cast<std::size_t>(call) % data.size()];
                               benchmark::attend_with_eigen(o.out.data(), o.q.data(), o.k.data(), o.v.data(), s.heads,
                                                            s.queries, s.keys, s.dim, mask);
                           }});
        benchmark::race(all, settings_.seconds);
        const Visible visible(mask, s);
        const double work = 4e-9 * visible.scores * static_cast<double>(s.dim),
                     live = visible.tiles / visible.all_tiles;
        const double eigen = settings_.alone ? 0 : work / all[2].best;
        std::printf("%-22s %5td x %5td x %5td x %3td | %9.4f %7.1f %6.3f | %6.3f %9.3f | %6.1f\n", name, s.heads,
                    s.queries, s.keys, s.dim, 1e3 * all[0].best, work / all[0].best, work / all[0].best / peak_, live,
                    all[0].best / all[1].best, eigen);
        std::fflush(stdout);
        rows_.push_back({{"name", name},
                         {"heads", s.heads},
                         {"queries", s.queries},
                         {"keys", s.keys},
                         {"dim", s.dim},
                         {"seconds", all[0].best},
                         {"gflops", work / all[0].best},
                         {"live", live},
                         {"unmasked_seconds", all[1].best},
                         {"eigen_gflops", eigen}});
    }

    ~Table() { settings_.write({{"threads", settings_.threads}, {"peak_f32", peak_}, {"attentions", rows_}}); }

  private:
    const Settings& settings_;
    double peak_;
    benchmark::Figures rows_ = benchmark::Figures::array();
};

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    settings.read(argc, argv, "Attention under masks",
                  [&](CLI::App& app) { app.add_flag("--alone", settings.alone, "Without Eigen"); });
    Table table(settings);
    table.row("full ViT-g", {16, 257, 257, 88}, Full{});
    table.row("full CLIP-L", {16, 257, 257, 64}, Full{});
    table.row("full ViT-g 364px", {16, 677, 677, 88}, Full{});
    table.row("full long", {12, 2048, 2048, 64}, Full{});
    table.row("full wide heads", {8, 1024, 1024, 128}, Full{});
    table.row("full Q-Former cross", {12, 32, 257, 64}, Full{});
    table.row("full Q-Former self", {12, 32, 32, 64}, Full{});
    table.row("full Q-Former text", {12, 64, 64, 64}, Full{});
    table.row("multi-modal Q-Former", {12, 64, 64, 64}, masks::multimodal_causal(32));
    table.row("causal OPT prefill", {32, 40, 40, 80}, Causal{});
    table.row("causal", {12, 257, 257, 64}, Causal{});
    table.row("causal long", {12, 2048, 2048, 64}, Causal{});
    table.row("uni-modal", {12, 2048, 2048, 64}, masks::uni_modal(1024));
    table.row("multi-modal", {12, 2048, 2048, 64}, masks::multimodal_causal(1024));
    table.row("window 256", {12, 4096, 4096, 64}, Window{.left = 256});
    table.row("keys below", {12, 2048, 2048, 64}, KeysBelow{1000});
    table.row("lambda", {12, 1024, 1024, 64}, Where{[](Index query, Index key) { return (query ^ key) % 3 != 0; }});
    static const std::vector<Index> starts{0, 257, 514, 771, 1028};
    table.row("ragged 4 x 257", {16, 1028, 1028, 88}, Packed{starts});
    static const std::vector<Index> texts{0, 64, 128, 192, 256, 320, 384, 448, 512};
    table.row("ragged 8 x 64 Q-Former", {12, 512, 512, 64}, Packed{texts});
    static const std::vector<Index> asked{0, 32, 64, 96, 128, 160, 192, 224, 256};
    static const std::vector<Index> seen{0, 257, 514, 771, 1028, 1285, 1542, 1799, 2056};
    table.row("ragged 8 x 32 x 257", {12, 256, 2056, 64}, Packed{asked, seen});
    table.row("decode", {32, 1, 300, 80, true}, Full{});
    table.row("decode long", {32, 1, 2048, 80, true}, Full{});
    table.row("decode 5 rows", {32, 5, 300, 80, true}, Full{});
}
