// Everything about masks: the catalogue, the algebra, ragged batches, and the means to check and to see them.
#pragma once
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/any.hpp>
#include <tessera/mask/block_mask.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/mask/score_mod/score_mod.hpp>
#include <tessera/study/density.hpp>
#include <tessera/study/draw.hpp>
#include <tessera/study/flow.hpp>
#include <tessera/study/parse.hpp>
#include <tessera/study/svg.hpp>
#include <tessera/study/verify.hpp>
