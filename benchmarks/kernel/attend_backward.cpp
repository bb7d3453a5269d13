// The backward pass of attention beside the forward pass, against the measured peak of the machine.
//     attend_backward [--threads N] [--seconds S] [--only TEXT] [--json FILE]
// GF/s of useful work, 10·d flops for each visible score backward and 4·d forward; `back/forward` is the ratio of the
// times. benchmarks/peers/run.py times PyTorch's on the same shapes. Best of several turns.
#include <cmath>
#include <cstdio>
#include <random>
#include <tessera/kernel/attend.hpp>
#include <tessera/kernel/attend_backward.hpp>
#include <tessera/mask/catalog.hpp>

#include "support/options.hpp"
#include "support/race.hpp"

namespace {

using namespace tessera;
using benchmark::Contender;

struct Shape {
    Index heads, queries, keys, dim;
};

struct Operands {
    Tensor<float, dyn, dyn> q, k, v, out, d_out, dq, dk, dv, lse;
    explicit Operands(const Shape& s)
        : q({s.queries, s.heads * s.dim}),
          k({s.keys, s.heads * s.dim}),
          v(k),
          out(q),
          d_out(q),
          dq(q),
          dk(k),
          dv(k),
          lse({s.heads, s.queries}) {
        std::minstd_rand random(1);
        for (auto* x : {&q, &k, &v, &d_out})
            for (float& value : x->view()) value = static_cast<float>(random() % 2000) * 1e-3f - 1;
    }
};

class Table {
  public:
    explicit Table(const benchmark::Options& options) : options_(options), peak_(benchmark::multiply_add_peak()) {
        std::printf("%d threads: peak %.1f GF/s\n\n", options.threads, peak_);
        std::printf("%-22s %24s | %10s %7s %6s | %9s %6s | %12s\n", "", "heads x queries x keys x d", "backward ms",
                    "GF/s", "/peak", "forward", "/peak", "back/forward");
    }

    template <Mask M>
    void row(const char* name, const Shape& s, const M& mask) {
        if (!options_.wants(name)) return;
        Operands o(s);
        Scratch scratch;
        const Index w = s.heads * s.dim;
        const kernel::AttendShape shape{.heads = s.heads,
                                        .queries = s.queries,
                                        .keys = s.keys,
                                        .dim = s.dim,
                                        .q_stride = w,
                                        .k_stride = w,
                                        .v_stride = w,
                                        .out_stride = w,
                                        .scale = 1 / std::sqrt(static_cast<float>(s.dim))};
        const auto forward = [&](int) {
            kernel::attend(o.out.data(), o.q.data(), o.k.data(), o.v.data(), shape, mask, scratch, NoBias{},
                           o.lse.data());
        };
        const auto backward = [&](int) {
            kernel::attend_backward({.dq = o.dq.data(),
                                     .dk = o.dk.data(),
                                     .dv = o.dv.data(),
                                     .d_out = o.d_out.data(),
                                     .out = o.out.data(),
                                     .lse = o.lse.data(),
                                     .q = o.q.data(),
                                     .k = o.k.data(),
                                     .v = o.v.data()},
                                    shape, mask, scratch);
        };
        std::vector<Contender> all{{"forward", forward}, {"backward", backward}};
        benchmark::race(all, options_.seconds);
        double scores = 0;
        for (Index i = 0; i < s.queries; ++i)
            for (Index j = 0; j < s.keys; ++j) scores += mask.allows(Site{0, i, j});
        const double work = 2e-9 * scores * static_cast<double>(w);
        const double back = 5 * work / all[1].best, fore = 2 * work / all[0].best, ratio = all[1].best / all[0].best;
        std::printf("%-22s %5td x %5td x %5td x %3td | %11.4f %7.1f %6.3f | %9.4f %6.3f | %12.3f\n", name, s.heads,
                    s.queries, s.keys, s.dim, 1e3 * all[1].best, back, back / peak_, 1e3 * all[0].best, fore / peak_,
                    ratio);
        std::fflush(stdout);
        rows_.push_back({{"name", name},
                         {"heads", s.heads},
                         {"queries", s.queries},
                         {"keys", s.keys},
                         {"dim", s.dim},
                         {"backward_seconds", all[1].best},
                         {"forward_seconds", all[0].best},
                         {"backward_gflops", back}});
    }

    ~Table() { options_.write({{"threads", options_.threads}, {"peak_f32", peak_}, {"attentions", rows_}}); }

  private:
    const benchmark::Options& options_;
    double peak_;
    benchmark::Figures rows_ = benchmark::Figures::array();
};

}  // namespace

int main(int argc, char** argv) {
    benchmark::Options options;
    options.read(argc, argv, "The backward pass of attention");
    Table table(options);
    std::vector<Index> of_64, of_32, of_257;  // where the pictures or texts of a batch of eight begin
    for (Index i = 0; i <= 8; ++i) of_64.push_back(64 * i), of_32.push_back(32 * i), of_257.push_back(257 * i);
    table.row("ViT-g", {16, 257, 257, 88}, Full{});
    table.row("CLIP-L", {16, 257, 257, 64}, Full{});
    table.row("long", {12, 2048, 2048, 64}, Full{});
    table.row("causal long", {12, 2048, 2048, 64}, Causal{});
    table.row("window 256", {12, 2048, 2048, 64}, Window{.left = 256});
    table.row("uni-modal", {12, 2048, 2048, 64}, masks::uni_modal(1024));
    table.row("Q-Former self, 8", {12, 512, 512, 64}, Packed{std::span<const Index>(of_64)});
    table.row("Q-Former cross, 8", {12, 256, 2056, 64},
              Packed{std::span<const Index>(of_32), std::span<const Index>(of_257)});
    table.row("Q-Former cross, 1", {12, 32, 257, 64}, Full{});
}
