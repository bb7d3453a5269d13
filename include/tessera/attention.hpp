// Attention and what it is made of: layers, masks, score modifiers, scratch. Needs the standard library and xsimd.
#pragma once
#include <tessera/masks.hpp>
#include <tessera/nn/attention.hpp>
#include <tessera/nn/folded_attention.hpp>
