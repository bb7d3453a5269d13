// Attention under masks beside the same without a mask, and beside plain loops over Eigen's products.
//     attend [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// GF/s of useful work, 4·d flops for each visible score. `live` is the share of 32 × 32 tiles in which anything is
// visible; time over that of `unmasked` should be about the same. GB/s of keys and values, which decoding reads from
// memory.
#include <tessera/study.hpp>

#include "attention.hpp"

namespace {

using namespace tessera;
using bench::Sizes;

/// `cold`: keys and values come from memory, as a cache of past tokens does, not from the caches.
template <Mask M>
void add(const std::string& title, const Sizes& s, const M& mask, bool cold = false) {
    const Index bytes = 2 * s.keys * s.width() * Index{sizeof(float)};  // of keys and values
    const auto contender = [=](const std::string& name, const Density& density, const auto& run) {
        bench::add(title + "/" + s.text() + "/" + name, [=](bench::State& state) {
            std::vector<bench::Operands<>> data(
                cold ? (std::size_t{200} << 20) / static_cast<std::size_t>(bytes) + 2 : 1, bench::Operands<>(s));
            Scratch scratch;
            bench::measure_attention(state, s, density, static_cast<double>(bytes), [&](Index call) {
                run(data[static_cast<std::size_t>(call) % data.size()], scratch);
            });
        });
    };
    const auto ours = [=](const auto& any) {
        return [=](auto& data, Scratch& scratch) { bench::attend(data, s, any, scratch); };
    };
    const Density density(mask, s.queries, s.keys), whole(Full{}, s.queries, s.keys);
    contender("tessera", density, ours(mask));
    if constexpr (!std::same_as<M, Full>) contender("unmasked", whole, ours(Full{}));
    contender("Eigen", density, [=](auto& data, Scratch&) { bench::attend_with_eigen(data, s, mask); });
}

}  // namespace

int main(int argc, char** argv) {
    add("full ViT-g", {16, 257, 257, 88}, Full{});
    add("full CLIP-L", {16, 257, 257, 64}, Full{});
    add("full ViT-g 364px", {16, 677, 677, 88}, Full{});
    add("full long", {12, 2048, 2048, 64}, Full{});
    add("full wide heads", {8, 1024, 1024, 128}, Full{});
    add("full Q-Former cross", {12, 32, 257, 64}, Full{});
    add("full Q-Former self", {12, 32, 32, 64}, Full{});
    add("full Q-Former text", {12, 64, 64, 64}, Full{});
    add("multi-modal Q-Former", {12, 64, 64, 64}, masks::multimodal_causal(32));
    add("causal OPT prefill", {32, 40, 40, 80}, Causal{});
    add("causal", {12, 257, 257, 64}, Causal{});
    add("causal long", {12, 2048, 2048, 64}, Causal{});
    add("uni-modal", {12, 2048, 2048, 64}, masks::uni_modal(1024));
    add("multi-modal", {12, 2048, 2048, 64}, masks::multimodal_causal(1024));
    add("window 256", {12, 4096, 4096, 64}, Window{.left = 256});
    add("keys below", {12, 2048, 2048, 64}, FirstKeys{1000});
    add("lambda", {12, 1024, 1024, 64}, Predicate{[](Index query, Index key) { return (query ^ key) % 3 != 0; }});
    static const std::vector<Index> starts{0, 257, 514, 771, 1028};
    add("ragged 4 x 257", {16, 1028, 1028, 88}, Packed{starts});
    static const std::vector<Index> texts{0, 64, 128, 192, 256, 320, 384, 448, 512};
    add("ragged 8 x 64 Q-Former", {12, 512, 512, 64}, Packed{texts});
    static const std::vector<Index> asked{0, 32, 64, 96, 128, 160, 192, 224, 256};
    static const std::vector<Index> seen{0, 257, 514, 771, 1028, 1285, 1542, 1799, 2056};
    add("ragged 8 x 32 x 257", {12, 256, 2056, 64}, Packed{asked, seen});
    add("decode", {32, 1, 300, 80}, Full{}, true);
    add("decode long", {32, 1, 2048, 80}, Full{}, true);
    add("decode 5 rows", {32, 5, 300, 80}, Full{}, true);
    return bench::run(argc, argv);
}
