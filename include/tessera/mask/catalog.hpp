// The catalogue of masks, one family to a file; each mask has its picture in its comment (rows are queries). All but
// Predicate promise that their cover is exact: `cover` tells every tile; so does every composition of them.
#pragma once
#include <tessera/mask/catalog/batch.hpp>         // Documents, Padded
#include <tessera/mask/catalog/blip2.hpp>         // masks::uni_modal, bidirectional, multimodal_causal
#include <tessera/mask/catalog/choice.hpp>        // FirstHeads, Choose, PerHead
#include <tessera/mask/catalog/named.hpp>         // masks::prefix_lm, global_window, sparse_strided
#include <tessera/mask/catalog/neighborhood.hpp>  // Neighborhood
#include <tessera/mask/catalog/order.hpp>         // Full, Causal, FirstKeys, FirstQueries, SameSegment
#include <tessera/mask/catalog/pattern.hpp>       // Pattern, Bitmap, BlockSparse
#include <tessera/mask/catalog/predicate.hpp>     // Predicate
#include <tessera/mask/catalog/random.hpp>        // Random
#include <tessera/mask/catalog/shifted.hpp>       // Shifted
#include <tessera/mask/catalog/tree.hpp>          // Tree
#include <tessera/mask/catalog/window.hpp>        // Window, Dilated, Strided
#include <tessera/mask/packed.hpp>                // Packed, CausalBottomRight
