// Attention and what it is made of: layers, masks, biases, scratch. Needs the standard library only. masks.hpp adds the means
// to check, to see and to read masks, which cost as much to compile as all of this.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/block_mask.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/mask/score_mod/score_mod.hpp>
#include <tessera/nn/attention.hpp>
#include <tessera/nn/folded_attention.hpp>
