// The shapes this program is compiled for.
#pragma once
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/blip2/itg.hpp>
#include <tessera/model/config.hpp>

#include "../scenes/models.hpp"

namespace program {

using namespace tessera;

// "lavis-…" are put together from parts: OPT has its own vocabulary there, and CLIP's ViT-L 21 blocks, or 22, or 23.
// To run a checkpoint of other shapes, add a line here; `tessera info` prints the numbers. Each list is compiled in a file of
// its own: caption_opt.cpp, caption_t5.cpp, caption_stage1.cpp, retrieval.cpp.

inline constexpr std::tuple opt_models{
    Compiled<Blip2Opt2_7b>{"blip2-opt-2.7b"},
    Compiled<Blip2Opt2_7bCoco>{"blip2-opt-2.7b-coco"},
    Compiled<Blip2Opt6_7b>{"blip2-opt-6.7b"},
    Compiled<Blip2Opt6_7bCoco>{"blip2-opt-6.7b-coco"},
    Compiled<Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<opt_2_7b>>>{"lavis-opt-2.7b"},
    Compiled<Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<opt_6_7b>>>{"lavis-opt-6.7b"},
    Compiled<Blip2<Vit<eva_vit_g14_364>, QFormer<qformer_vit_g>, Opt<opt_2_7b>>>{"lavis-opt-2.7b-coco"},
    Compiled<Blip2<Vit<eva_vit_g14_364>, QFormer<qformer_vit_g>, Opt<opt_6_7b>>>{"lavis-opt-6.7b-coco"},
    Compiled<Blip2Tiny>{"tiny"},
    Compiled<scenes::Blip2Opt>{"scenes-opt"},
};
inline constexpr std::tuple t5_models{
    Compiled<Blip2FlanT5Xl>{"blip2-flan-t5-xl"},
    Compiled<Blip2FlanT5XlCoco>{"blip2-flan-t5-xl-coco"},
    Compiled<Blip2FlanT5Xxl>{"blip2-flan-t5-xxl"},
    Compiled<Blip2<Vit<blip2_clip_vit_l14(21)>, QFormer<qformer_vit_l>, T5<blip2_flan_t5_xl>>>{
        "lavis-flan-t5-xl-vit-l"},
    Compiled<Blip2TinyT5>{"tiny-t5"},
    Compiled<scenes::Blip2T5>{"scenes-t5"},
};
inline constexpr QFormerConfig tiny_stage1_qformer = [] {
    QFormerConfig c = tiny_itm_qformer;
    c.vocabulary = 381, c.embedding = 32;
    return c;
}();
inline constexpr std::tuple itg_models{
    Compiled<Blip2Itg<Vit<eva_vit_g14>, QFormer<qformer_itm_vit_g>>>{"lavis-stage1-vit-g"},
    Compiled<Blip2Itg<Vit<eva_vit_g14_364>, QFormer<qformer_itm_vit_g>>>{"lavis-stage1-vit-g-364"},
    Compiled<Blip2Itg<Vit<blip2_clip_vit_l14(21)>, QFormer<qformer_itm_vit_l>>>{"lavis-stage1-vit-l-21"},
    Compiled<Blip2Itg<Vit<blip2_clip_vit_l14(22)>, QFormer<qformer_itm_vit_l>>>{"lavis-stage1-vit-l-22"},
    Compiled<Blip2Itg<Vit<blip2_clip_vit_l14(23)>, QFormer<qformer_itm_vit_l>>>{"lavis-stage1-vit-l-23"},
    Compiled<Blip2Itg<Vit<tiny_vit>, QFormer<tiny_stage1_qformer>>>{"tiny-stage1"},
};
inline constexpr std::tuple retrieval_models{
    Compiled<Blip2ItmVitG>{"blip2-itm-vit-g"},
    Compiled<Blip2ItmVitGCoco>{"blip2-itm-vit-g-coco"},
    Compiled<Blip2Retrieval<Vit<blip2_clip_vit_l14(21)>, QFormer<qformer_itm_vit_l>>>{"lavis-vit-l-21"},
    Compiled<Blip2Retrieval<Vit<blip2_clip_vit_l14(22)>, QFormer<qformer_itm_vit_l>>>{"lavis-vit-l-22"},
    Compiled<Blip2Retrieval<Vit<blip2_clip_vit_l14(23)>, QFormer<qformer_itm_vit_l>>>{"lavis-vit-l-23"},
    Compiled<Blip2ItmTiny>{"tiny-itm"},
    Compiled<scenes::Retrieval>{"scenes-itm"},
};
inline constexpr auto all_models = std::tuple_cat(opt_models, t5_models, itg_models, retrieval_models);

}  // namespace program
