// BLIP-2 for retrieval: an image encoder, and the Q-Former with the heads of contrast and matching.
#pragma once
#include <tessera/model/blip2/processor.hpp>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/qformer/matching.hpp>
#include <tessera/model/vit/vit.hpp>

namespace tessera::inline TESSERA_ISA {

/// BLIP-2 as Salesforce/blip2-itm-vit-g has it: pictures and texts compared (ITC), and read together (ITM).
/// ```cpp
/// const auto keys = model.read(pixels, grid, s);                          // pictures, once
/// const auto cosines = model.itc(model.image_features(keys, s), model.text_features(texts, s), s);
/// const auto logits = model.itm(keys, pairs, texts, s);
/// ```
/// errors  Errc::weight_unset; parts that do not fit each other do not compile
/// source  Li 2023 (BLIP-2) §3.1; transformers, Blip2ForImageTextRetrieval
template <class Vision, class Query>
struct Blip2Retrieval : ImageTextMatching<Query> {
    static_assert(Vision::config.width == Query::config.context,
                  "Blip2Retrieval: the Q-Former must attend to patches as wide as the image encoder makes them");

    static constexpr std::tuple configs{Vision::config, Query::config};
    using Processor = Blip2Processor;
    static NameMap names() { return matching_names().add("vision.", vit_names()); }

    Vision vision;

    /// What all texts read of pictures of `grid` patches each.
    /// shape   patches [n·P, 3·patch²] → keys of n pictures
    typename Query::Keys read(ConstRows<Vision::config.patch_pixels()> patches, Grid grid, Scratch& s) const {
        const auto frame = s.frame();
        return this->qformer.read(vision(patches, grid, s), s, patches.extent(0) / grid.size());
    }

    static void visit(auto& self, auto&& f) {
        f("vision", self.vision);
        ImageTextMatching<Query>::visit(self, f);
    }
};

using Blip2ItmVitG = Blip2Retrieval<Vit<eva_vit_g14>, QFormer<qformer_itm_vit_g>>;
using Blip2ItmVitGCoco = Blip2Retrieval<Vit<eva_vit_g14_364>, QFormer<qformer_itm_vit_g>>;
using Blip2ItmTiny = Blip2Retrieval<Vit<tiny_vit>, QFormer<tiny_itm_qformer>>;

}  // namespace tessera::inline TESSERA_ISA
