// What others call the parameters of a whole BLIP-2.
#pragma once
#include <tessera/model/opt/names.hpp>
#include <tessera/model/qformer/names.hpp>
#include <tessera/model/vit/names.hpp>

namespace tessera::inline TESSERA_ISA {

namespace blip2_lines {
inline constexpr NameLine projection[] = {{"projection", "language_projection", NameKind::linear},
                                          {"projection", "opt_proj", NameKind::linear}};
}  // namespace blip2_lines

/// BLIP-2 with OPT, as Hugging Face or LAVIS save it.
inline NameMap blip2_names() {
    NameMap names;
    names.add("vision.", vit_names()).add("qformer.", qformer_names()).add("", "", blip2_lines::projection);
    for (const char* prefix : {"language_model.", "opt_model."}) names.add("language.", opt_names_after(prefix));
    // Tables of the numbers 0, 1, 2, …, parts of BERT that the Q-Former leaves out, heads of other tasks.
    return names.ignore({"*position_ids", "*token_type_embeddings.weight", "*pooler.*", "*seq_relationship.*", "temp",
                         "itm_head.*", "vision_projection.*", "text_projection.*", "vision_proj.*", "text_proj.*",
                         "cls.*", "Qformer.cls.*"});
}

}  // namespace tessera::inline TESSERA_ISA
