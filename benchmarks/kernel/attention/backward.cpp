// The backward pass of attention beside the forward pass.
//     attend_backward [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// GF/s of useful work, 10·d flops for each visible score backward and 4·d forward. benchmarks/peers/span.py times
// PyTorch's on the same shapes.
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/mask/catalog.hpp>

#include "attention.hpp"

namespace {

using namespace tessera;
using bench::Sizes;

template <Mask M>
void add(const std::string& title, const Sizes& s, const M& mask, const Dropout& dropout = {}) {
    const double flops = s.flops() * Density(mask, s.queries, s.keys).share();
    for (const bool back : {false, true})
        bench::add(title + "/" + s.text() + (back ? "/backward" : "/forward"), [=](bench::State& state) {
            bench::Operands<> o(s);
            Tensor<float, dyn, dyn> d_out(o.q), dq(o.q), dk(o.k), dv(o.v), lse({s.heads, s.queries});
            Scratch scratch;
            kernel::AttentionShape shape = s.rows();
            shape.dropout = dropout;
            const auto forward = [&](Index) {
                kernel::attend(o.out.data(), o.q.data(), o.k.data(), o.v.data(), shape, mask, scratch, NoBias{},
                               lse.data());
            };
            forward(0);
            const auto backward = [&](Index) {
                kernel::attend_backward({.dq = dq.data(),
                                         .dk = dk.data(),
                                         .dv = dv.data(),
                                         .d_out = d_out.data(),
                                         .out = o.out.data(),
                                         .lse = lse.data(),
                                         .q = o.q.data(),
                                         .k = o.k.data(),
                                         .v = o.v.data()},
                                        shape, mask, scratch);
            };
            if (back)
                bench::measure(state, {.flops = 2.5 * flops}, backward);
            else
                bench::measure(state, {.flops = flops}, forward);
        });
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<Index> of_64, of_32, of_257;  // where the pictures or texts of a batch of eight begin
    for (Index i = 0; i <= 8; ++i) of_64.push_back(64 * i), of_32.push_back(32 * i), of_257.push_back(257 * i);
    add("ViT-g", {16, 257, 257, 88}, Full{});
    add("CLIP-L", {16, 257, 257, 64}, Full{});
    add("long", {12, 2048, 2048, 64}, Full{});
    add("causal long", {12, 2048, 2048, 64}, Causal{});
    add("window 256", {12, 2048, 2048, 64}, Window{.left = 256});
    add("uni-modal", {12, 2048, 2048, 64}, masks::uni_modal(1024));
    add("Q-Former self, 8", {12, 512, 512, 64}, Packed{std::span<const Index>(of_64)});
    add("Q-Former self, 8, dropout", {12, 512, 512, 64}, Packed{std::span<const Index>(of_64)}, {0.1f, 1, 0});
    add("Q-Former cross, 8", {12, 256, 2056, 64},
        Packed{std::span<const Index>(of_32), std::span<const Index>(of_257)});
    add("Q-Former cross, 8, dropout", {12, 256, 2056, 64},
        Packed{std::span<const Index>(of_32), std::span<const Index>(of_257)}, {0.1f, 1, 0});
    add("Q-Former cross, 1", {12, 32, 257, 64}, Full{});
    return bench::run(argc, argv);
}
