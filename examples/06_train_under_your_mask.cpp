// A model of one's own under a mask of one's own, trained beside the same model under another mask.
#include <fstream>
#include <iostream>
#include <tessera/study.hpp>
#include <tessera/train.hpp>

using namespace tessera;

struct Model {
    Embedding<16, 32> word;
    Block<32, 2, 64> first{1e-5f}, second{1e-5f};
    LayerNorm<32> norm{1e-5f};

    Rows<16> operator()(std::span<const Token> ids, MaskRef mask, Scratch& s) const {
        StackRows<32> rows(word(ids, s), s);
        for (const auto* block : {&first, &second})
            rows.step([&](Rows<32> y, ConstRows<32> x) { block->into(y, x, mask, s); });
        return word.logits(norm(rows.now(), s), s);
    }
    static void visit(auto& self, auto&& f) {
        f("word", self.word), f("first", self.first), f("second", self.second), f("norm", self.norm);
    }
};

// The text repeats itself after eight words, so who is to know the next word has to see the one seven back.
constexpr Mask auto mine =
    Causal{} & Predicate{[](Index query, Index key) { return key == query || key == query - 7; }};
constexpr Mask auto window = Causal{} & Window{3};
static_assert(!reaches(mine, {8, 32}, {0, 8}), "the future does not leak into the past");
static_assert(reaches(mine, {0, 1}, {7, 8}, {.layers = 2}), "two layers see seven back");
static_assert(!reaches(window, {0, 1}, {7, 8}, {.layers = 2}), "under a window of three they do not");

Curve train(MaskRef mask, std::string name) {
    Model model;
    randomize(model, 1);
    Gradients gradients(model);
    Tape tape(gradients);
    AdamW adamw(gradients);
    Curve curve{std::move(name), {}, {}};
    std::vector<Token> ids(256), next(ids.size());
    for (Index step = 0; step < 150; ++step) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            ids[i] = i % 32 < 8 ? static_cast<Token>(split_mix(static_cast<std::uint64_t>(step) << 32 | i) % 16)
                                : ids[i - 8];
        for (std::size_t i = 0; i < ids.size(); ++i) next[i] = i % 32 < 7 || i % 32 == 31 ? -1 : ids[i + 1];
        tape.clear();
        gradients.clear();
        const auto loss = cross_entropy(model(ids, mask, tape), next, tape);
        tape.backward(loss);
        adamw.step(gradients, 5e-3);
        curve.x.push_back(static_cast<double>(step));
        curve.y.push_back(double{loss(0, 0)});
    }
    return curve;
}

int main(int count, char** arguments) {
    const CurvePanel panel{"loss", "step", {train(mine, "two keys"), train(window, "a window of three")}};
    for (const Curve& curve : panel.curves)
        std::cout << "under " << curve.name << " the words " << (curve.y.back() < 0.1 ? "are learned" : "stay unknown")
                  << '\n';
    if (count > 1) std::ofstream(arguments[1]) << svg(std::span(&panel, 1));
}
