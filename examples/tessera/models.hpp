// The shapes this program is compiled for.
#pragma once
#include <tessera/model/blip2/blip2.hpp>

namespace program {

using namespace tessera;

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
           f(Named<Blip2Tiny>{"tiny"});
}

}  // namespace program
