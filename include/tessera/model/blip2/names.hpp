// What others call the parameters of a whole BLIP-2.
#pragma once
#include <tessera/model/qformer/names.hpp>
#include <tessera/model/vit/names.hpp>

namespace tessera::inline TESSERA_ISA {

namespace blip2_lines {
inline constexpr NameLine projection[] = {{"projection", "language_projection", NameKind::linear},
                                          {"projection", "opt_proj", NameKind::linear},
                                          {"projection", "t5_proj", NameKind::linear}};
}  // namespace blip2_lines

/// BLIP-2 as Hugging Face or LAVIS save it, with a language model that they call `language`.
inline NameMap blip2_names(const NameMap& language) {
    NameMap names;
    names.add("vision.", vit_names()).add("qformer.", qformer_names()).add("", "", blip2_lines::projection);
    names.add("language.", language);
    // Tables of the numbers 0, 1, 2, …, parts of BERT that the Q-Former leaves out, heads of other tasks.
    return names.ignore({"*position_ids", "*token_type_embeddings.weight", "*pooler.*", "*seq_relationship.*", "temp",
                         "itm_head.*", "vision_projection.*", "text_projection.*", "vision_proj.*", "text_proj.*",
                         "cls.*", "Qformer.cls.*", "*EncDecAttention.relative_attention_bias.weight"});
}

}  // namespace tessera::inline TESSERA_ISA
