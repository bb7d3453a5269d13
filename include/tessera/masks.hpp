// Everything about masks: the catalogue, the algebra, ragged batches, and the means to check and to see them.
#pragma once
#include <tessera/mask/any.hpp>
#include <tessera/mask/bias.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/classified.hpp>
#include <tessera/mask/compose.hpp>
#include <tessera/mask/density.hpp>
#include <tessera/mask/draw.hpp>
#include <tessera/mask/figure.hpp>
#include <tessera/mask/flow.hpp>
#include <tessera/mask/parse.hpp>
#include <tessera/mask/relative_bias.hpp>
#include <tessera/mask/verify.hpp>
