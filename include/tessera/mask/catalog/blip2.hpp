// The three masks of BLIP-2's first stage, over the Q-Former's rows: `queries` learned queries, then the text.
#pragma once
#include <tessera/mask/catalog/full.hpp>
#include <tessera/mask/catalog/prefix_lm.hpp>
#include <tessera/mask/catalog/same_segment.hpp>

namespace tessera::inline TESSERA_ISA::masks {

/// Image-text contrast: queries and text each see only themselves, so that neither representation knows the other.
///     # # . . .
///     # # . . .
///     . . # # #
///     . . # # #
///     . . # # #
/// source  BLIP-2 (Li 2023), figure 2, "uni-modal self-attention mask"
constexpr SameSegment uni_modal(Index queries) { return {queries}; }

/// Image-text matching: everything sees everything.
///     # # # # #
///     # # # # #
///     # # # # #
///     # # # # #
///     # # # # #
/// source  BLIP-2 (Li 2023), figure 2, "bi-directional self-attention mask"
constexpr Full bidirectional() { return {}; }

/// Image-grounded text generation: queries see queries; text sees all queries and its own past.
///     # # . . .
///     # # . . .
///     # # # . .
///     # # # # .
///     # # # # #
/// With the queries' keys in a cache, the text's rows alone are Causal::after(queries).
/// source  BLIP-2 (Li 2023), figure 2, "multi-modal causal self-attention mask"
constexpr Or<FirstKeys, Causal> multimodal_causal(Index queries) { return prefix_lm(queries); }

}  // namespace tessera::inline TESSERA_ISA::masks
