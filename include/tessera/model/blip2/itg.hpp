// BLIP-2 after its first stage, with the image encoder: retrieval, and captions in the Q-Former's own words.
#pragma once
#include <tessera/model/blip2/retrieval.hpp>
#include <tessera/model/qformer/decoder.hpp>

namespace tessera::inline TESSERA_ISA {

/// What LAVIS trains in the first stage and the frozen image encoder: Blip2Retrieval, and the head of words of image-grounded text
/// generation (ITG). Published without the encoder, so that it is put together by `load_parts`; a folder that has both says in
/// its config.json `"model_type": "blip2_qformer_stage1"`, the Q-Former's numbers as LAVIS calls them, and those of the encoder
/// as Hugging Face does, under `vision_config`.
/// errors  Errc::weight_unset; parts that do not fit each other do not compile
/// source  Li 2023 (BLIP-2) §3.1; LAVIS, Blip2Qformer
template <class Vision, class Query>
struct Blip2Itg : Blip2Retrieval<Vision, Query> {
    static constexpr const char* model_type = "blip2_qformer_stage1";
    static NameMap names() {
        return matching_names()
            .add("vision.", vit_names())
            .add("", "", qformer_lines::lm_head)
            .add("", "", qformer_lines::tied);
    }

    LmHead<Query::config.vocabulary, Query::width> lm_head;

    Blip2Itg() { this->vision.norm.eps = 1e-5f; }  // LAVIS's ln_vision, whatever the encoder's own

    /// What speaks of these pictures, as long as they and the model are there.
    QFormerDecoder<Query> decoder(const typename Query::Keys& pictures) const {
        return {this->qformer, lm_head, pictures};
    }

    static void visit(auto& self, auto&& f) {
        Blip2Retrieval<Vision, Query>::visit(self, f);
        f("lm_head", self.lm_head);
    }
};

}  // namespace tessera::inline TESSERA_ISA
