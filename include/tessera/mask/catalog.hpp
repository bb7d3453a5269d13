// The catalogue of masks, one family to a file; each mask has its picture in its comment (rows are queries).
#pragma once
#include <tessera/mask/order.hpp>  // Full, Causal, KeysBelow, QueriesBelow, SameSegment
