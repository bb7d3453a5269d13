// From the Q-Former's text states to words: the head of BERT's language model.
#pragma once
#include <tessera/nn/embedding.hpp>
#include <tessera/nn/norm.hpp>

namespace tessera::inline TESSERA_ISA {

/// norm(gelu(dense(x))), scored against the table of words, plus a bias for each word.
/// shape   states [T, Width] → [T, Vocabulary]
/// source  Devlin 2019; the table is that of the input, as LAVIS ties them
template <Index Vocabulary, Index Width>
struct LmHead {
    Linear<Width, Width> dense;
    LayerNorm<Width> norm{1e-12f};
    Parameter<Vocabulary> bias;

    Rows<Vocabulary> operator()(ConstRows<Width> states, const Embedding<Vocabulary, Width>& words, Scratch& s) const {
        const auto y = s.rows<Vocabulary>(states.extent(0));
        const auto frame = s.frame();
        if (!words.weight.is_set() || !bias.is_set())
            throw Error(Errc::weight_unset, "LmHead<", Vocabulary, ", ", Width,
                        ">: called before its weights were set");
        words.logits_into(y, norm(dense(states, s, {.activation = Activation::gelu}), s), s, &bias);
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("dense", self.dense);
        f("norm", self.norm);
        f("bias", self.bias);
    }
};

}  // namespace tessera::inline TESSERA_ISA
