// The shapes this program is compiled for.
#pragma once
#include <tessera/model/blip2.hpp>

namespace program {

using namespace tessera;

/// The demonstration in tests/golden: random weights, real layout.
inline constexpr VitConfig tiny_vit =
    checked(VitConfig{.image = 56, .width = 64, .heads = 4, .hidden = 112, .layers = 3});
inline constexpr QFormerConfig tiny_qformer =
    checked(QFormerConfig{.queries = 8, .width = 48, .heads = 4, .hidden = 80, .layers = 4, .context = tiny_vit.width});
inline constexpr OptConfig tiny_opt = checked(OptConfig{
    .vocabulary = 608, .width = 64, .heads = 4, .hidden = 128, .layers = 3, .positions = 160, .embedding = 64});
using Tiny = Blip2<Vit<tiny_vit>, QFormer<tiny_qformer>, Opt<tiny_opt>>;

template <class M>
struct Named {
    using Model = M;
    const char* name;
};

/// Calls f(Named<Model>) for each compiled model until one call returns true; says whether one did.
/// To run a checkpoint of other shapes, add a line here.
bool for_each_model(auto&& f) {
    return f(Named<Blip2Opt2_7b>{"blip2-opt-2.7b"}) || f(Named<Blip2Opt2_7bCoco>{"blip2-opt-2.7b-coco"}) ||
           f(Named<Blip2Opt6_7b>{"blip2-opt-6.7b"}) || f(Named<Blip2Opt6_7bCoco>{"blip2-opt-6.7b-coco"}) ||
           f(Named<Tiny>{"tiny"});
}

}  // namespace program
