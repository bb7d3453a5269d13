// The shapes this program is compiled for.
#pragma once
#include <tessera/model/blip2/blip2.hpp>
#include <tessera/model/config.hpp>

namespace program {

using namespace tessera;

/// To run a checkpoint of other shapes, add a line here; `tessera info` prints the numbers.
inline constexpr std::tuple models{
    Compiled<Blip2Opt2_7b>{"blip2-opt-2.7b"},
    Compiled<Blip2Opt2_7bCoco>{"blip2-opt-2.7b-coco"},
    Compiled<Blip2Opt6_7b>{"blip2-opt-6.7b"},
    Compiled<Blip2Opt6_7bCoco>{"blip2-opt-6.7b-coco"},
    Compiled<Blip2Tiny>{"tiny"},
};

}  // namespace program
