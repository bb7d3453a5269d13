// Everything about masks: the catalogue, the algebra, ragged batches, and the check of a mask of one's own.
#pragma once
#include <tessera/mask/blip2.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/compose.hpp>
#include <tessera/mask/packed.hpp>
#include <tessera/mask/verify.hpp>
#include <tessera/mask/where.hpp>
