// What the first stage runs on: the frozen image encoder, and all that is trained.
#pragma once
#include <tessera/generate/load_parts.hpp>
#include <tessera/model/blip2/names.hpp>
#include <tessera/model/qformer/stage1.hpp>

namespace tessera::inline TESSERA_ISA {

/// An image encoder whose last norm is not part of it, as stage 1 trains that norm.
consteval VitConfig without_output_norm(VitConfig c) {
    c.output_norm = false;
    return checked(c);
}

/// A Blip2Stage1 with the encoder that its pictures come from. It is saved as Hugging Face has Blip2ForImageTextRetrieval, with what
/// that leaves out beside it, temperature and language-model head, under LAVIS's names.
template <class Vision, class Query>
struct Stage1Model : Blip2Stage1<Query> {
    static_assert(Vision::config.width == Query::config.context,
                  "Stage1Model: the Q-Former must attend to patches as wide as the image encoder makes them");
    static_assert(!Vision::config.output_norm, "Stage1Model: the norm after the image encoder is vision_norm");

    static constexpr std::tuple configs{Vision::config, Query::config};
    static NameMap names() {
        NameMap names = matching_names();
        names.add("vision.", vit_names()).add("", "", qformer_lines::stage1).add("", "", qformer_lines::lm_head);
        return names.add("", "", qformer_lines::tied);
    }

    Vision vision;

    static void visit(auto& self, auto&& f) {
        f("vision", self.vision);
        f("vision.norm", self.vision_norm);
        ImageTextMatching<Query>::visit(self, f);
        f("temperature", self.temperature);
        f("lm_head", self.lm_head);
    }
};

/// What of a Stage1Model stays as it is.
inline bool is_frozen_in_stage1(std::string_view path) {
    return path.starts_with("vision.") && !path.starts_with("vision.norm.");
}
inline bool learns_in_stage1(std::string_view path) { return !is_frozen_in_stage1(path); }

/// Loads an image encoder of EVA-CLIP, CLIP or a BLIP-2 from a folder or a file, without the norm after it.
/// errors  those of load_parts: `image encoder: …`
template <class Vision>
void load_vision(Vision& vision, const std::string& where, const LoadOptions& options = {}) {
    const Checkpoint checkpoint = detail::open_part(Vision::config, where);
    const detail::PlannedCheckpoint plan{
        &checkpoint, plan_load(tensor_specs(vision), checkpoint, Vision::names(), {VitConfig::role})};
    detail::fill(leaves_of(vision), std::span(&plan, 1), options);
}

}  // namespace tessera::inline TESSERA_ISA
