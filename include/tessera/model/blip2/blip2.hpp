// BLIP-2: an image encoder, the Q-Former, and a language model that reads the Q-Former's output.
#pragma once
#include <tessera/model/blip2/names.hpp>
#include <tessera/model/blip2/processor.hpp>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/opt/opt.hpp>
#include <tessera/model/qformer/qformer.hpp>
#include <tessera/model/t5/t5.hpp>
#include <tessera/model/vit/vit.hpp>

namespace tessera::inline TESSERA_ISA {

/// BLIP-2. The language model reads the soft prompt among the words, as OPT does, or through its encoder, as T5 does.
/// shape   patches [n·P, 3·patch²] of n pictures → soft prompts [n·Queries, Language::embedding_width]
/// errors  Errc::weight_unset; parts that do not fit each other do not compile
/// source  Li 2023
template <class Vision, class Query, class Language>
struct Blip2 {
    static_assert(Vision::config.width == Query::config.context,
                  "Blip2: the Q-Former must attend to patches as wide as the image encoder makes them");
    static_assert(Query::config.queries > 0 && Language::most_positions > Query::config.queries,
                  "Blip2: the language model must have more positions than there are queries");

    static constexpr std::tuple configs{Vision::config, Query::config, Language::config};
    using Processor = Blip2Processor;
    static NameMap names() { return blip2_names(Language::names_in_blip2()); }

    Vision vision;
    Query qformer;
    Linear<Query::width, Language::embedding_width> projection;
    Language language;

    static void visit(auto& self, auto&& f) {
        f("vision", self.vision);
        f("qformer", self.qformer);
        f("projection", self.projection);
        f("language", self.language);
    }
};

using Blip2Opt2_7b = Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<blip2_opt_2_7b_decoder>>;
using Blip2Opt2_7bCoco = Blip2<Vit<eva_vit_g14_364>, QFormer<qformer_vit_g>, Opt<blip2_opt_2_7b_decoder>>;
using Blip2Opt6_7b = Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<blip2_opt_6_7b_decoder>>;
using Blip2Opt6_7bCoco = Blip2<Vit<eva_vit_g14_364>, QFormer<qformer_vit_g>, Opt<blip2_opt_6_7b_decoder>>;
using Blip2FlanT5Xl = Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, T5<blip2_flan_t5_xl>>;
using Blip2FlanT5XlCoco = Blip2<Vit<eva_vit_g14_364>, QFormer<qformer_vit_g>, T5<blip2_flan_t5_xl>>;
using Blip2FlanT5Xxl = Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, T5<blip2_flan_t5_xxl>>;
using Blip2Tiny = Blip2<Vit<tiny_vit>, QFormer<tiny_qformer>, Opt<tiny_opt>>;
using Blip2TinyT5 = Blip2<Vit<tiny_vit>, QFormer<tiny_qformer>, T5<tiny_t5>>;

}  // namespace tessera::inline TESSERA_ISA
