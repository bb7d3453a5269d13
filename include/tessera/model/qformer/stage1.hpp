// What the first stage of BLIP-2 trains: the Q-Former with the heads of its three objectives.
#pragma once
#include <tessera/model/qformer/decoder.hpp>
#include <tessera/model/qformer/matching.hpp>

namespace tessera::inline TESSERA_ISA {

/// A stage-1 checkpoint as LAVIS saves it, without the frozen image encoder; it begins at what the encoder's blocks make of
/// pictures. Beside contrast and matching it has words of its own: image-grounded text generation (ITG).
/// errors  those of QFormer
/// source  Li 2023 (BLIP-2) §3.1; LAVIS, Blip2Qformer
template <class Query>
struct Blip2Stage1 : ImageTextMatching<Query> {
    static constexpr auto config = Query::config;
    static NameMap names() { return stage1_names(); }

    LayerNorm<Query::context> vision_norm{1e-5f};
    Parameter<1> temperature;  // cosines are divided by it in the loss
    LmHead<config.vocabulary, Query::width> lm_head;

    /// The scores of every word to follow each row of text states.
    Rows<config.vocabulary> logits(ConstRows<Query::width> states, Scratch& s) const {
        return lm_head(states, this->qformer.word, s);
    }
    /// What speaks of these pictures, as long as they and the model are there.
    QFormerDecoder<Query> decoder(const typename Query::Keys& pictures) const {
        return {this->qformer, lm_head, pictures};
    }

    static void visit(auto& self, auto&& f) {
        f("vision_norm", self.vision_norm);
        ImageTextMatching<Query>::visit(self, f);
        f("temperature", self.temperature);
        f("lm_head", self.lm_head);
    }
};

}  // namespace tessera::inline TESSERA_ISA
