// The catalogue of masks, one family to a file; each mask has its picture in its comment (rows are queries). All but Where
// promise to be exact: `cover` tells every tile; so does every composition of them.
#pragma once
#include <tessera/mask/batch.hpp>    // Documents, Padded
#include <tessera/mask/bitmap.hpp>   // Drawn, Bitmap, BlockSparse
#include <tessera/mask/blip2.hpp>    // masks::uni_modal, bidirectional, multimodal_causal
#include <tessera/mask/choice.hpp>   // HeadsBelow, Choose, PerHead
#include <tessera/mask/grid.hpp>     // Neighbourhood
#include <tessera/mask/named.hpp>    // masks::prefix_lm, global_window, sparse_strided
#include <tessera/mask/order.hpp>    // Full, Causal, KeysBelow, QueriesBelow, SameSegment
#include <tessera/mask/packed.hpp>   // Packed, CausalAtEnd
#include <tessera/mask/random.hpp>   // Random
#include <tessera/mask/shifted.hpp>  // Shifted
#include <tessera/mask/tree.hpp>     // Tree
#include <tessera/mask/where.hpp>    // Where
#include <tessera/mask/window.hpp>   // Window, Dilated, Strided
