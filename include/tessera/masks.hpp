// Everything about masks: the catalogue, the algebra, ragged batches, and the means to check and to see them.
#pragma once
#include <tessera/mask/any.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/classified.hpp>
#include <tessera/mask/compose.hpp>
#include <tessera/mask/flow.hpp>
#include <tessera/mask/verify.hpp>
