// Masks and score modifiers: the catalogue, the algebra, ragged batches. study.hpp adds the means to draw, prove and check them.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/any.hpp>
#include <tessera/mask/block_mask.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/score_mod/additive.hpp>
#include <tessera/mask/score_mod/alibi.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/mask/score_mod/soft_cap.hpp>
