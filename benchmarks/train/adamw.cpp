// How fast AdamW steps, with weights in the panels of matrix products, beside the same numbers in flat arrays.
//     adamw [--benchmark_filter=REGEX] [--benchmark_out=FILE] [...]      (all: --help)
// GB/s of what a step has to touch: weight and moments read and written, gradient read.
#include <array>
#include <tessera/nn/randomize.hpp>
#include <tessera/nn/weight.hpp>
#include <tessera/train/adamw.hpp>

#include "support/run.hpp"

namespace {

using namespace tessera;

// The weights of two layers of the Q-Former, cross-attention included.
struct Layers {
    std::array<Weight<3072, 768>, 4> up;
    std::array<Weight<768, 3072>, 4> down;
    std::array<Weight<768, 768>, 12> square;
    std::array<Weight<768, 1408>, 4> cross;
    static void visit(auto& self, auto&& f) {
        visit_list("up", self.up, f);
        visit_list("down", self.down, f);
        visit_list("square", self.square, f);
        visit_list("cross", self.cross, f);
    }
};

}  // namespace

int main(int argc, char** argv) {
    static Layers model;
    randomize(model, 1);
    static Gradients gradients(model);
    const Index count = std::ssize(gradients.values());
    const bench::Work work{.bytes = 7 * sizeof(float) * static_cast<double>(count)};
    bench::add("panels", [=](bench::State& state) {
        AdamW adamw(gradients);
        bench::measure(state, work, [&](Index) { adamw.step(gradients, 1e-4); });
    });
    bench::add("flat", [=](bench::State& state) {
        Buffer<float> w(count), m(count), v(count);
        for (Buffer<float>* all : {&w, &m, &v}) std::fill_n(all->data(), count, 0.0f);
        const kernel::AdamWNumbers numbers{.rate = 1e-4,
                                           .beta1 = 0.9,
                                           .beta2 = 0.98,
                                           .eps = 1e-8,
                                           .decay = 0.05,
                                           .correction1 = 0.1,
                                           .correction2 = 0.02};
        bench::measure(state, work, [&](Index) {
            kernel::adamw(w.data(), m.data(), v.data(), gradients.values().data(), count, numbers);
        });
    });
    return bench::run(argc, argv);
}
