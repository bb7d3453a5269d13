// Masks from text: a small language over the catalogue, for command lines.
#pragma once
#include <tessera/study/parse/words.hpp>

namespace tessera::inline TESSERA_ISA {

/// A mask from an expression over the catalogue, such as "prefix 32 | causal" or "window 256 & ~(random 0.1 7 64)":
///     ~a      a & b      a | b      (a)                               in this order of binding
///     full                             causal [CORNER]                prefix N, keys N, queries N, heads N, segments N
///     window LEFT [RIGHT] [CORNER]     strided STEP [FIRST]           dilated STEP [LEFT [RIGHT]] [CORNER]
///     sequences LENGTH… [by LENGTH…] [causal]                         padded LENGTH… [to QUERIES [KEYS]] [left]
///     documents ID… [by ID…]           tree PARENT…                   neighborhood HEIGHT WIDTH [DOWN [ACROSS]]
///     random DENSITY [SEED [ROWS [COLUMNS]]] [by_head]                blocks ROWS COLUMNS '#.|##', pattern '#.|##'
///     per_head (a) (b)…                if a then b else c             shifted QUERIES KEYS a
///     prefix_lm N [CORNER]             sparse_strided STRIDE          global_window N LEFT [RIGHT] [CORNER]
///     uni_modal N                      bidirectional                  multimodal_causal N [CORNER]
/// A CORNER is top_left, bottom_right or after N; there has to be one where there are not as many queries as keys.
/// errors  Errc::option_value, with the place in the text; or if the mask is not for so many queries and keys
inline AnyMask parse_mask(std::string_view text, Index queries, Index keys) {
    AnyMask mask = parsing::MaskReader(text, queries, keys).whole();
    if (!masks::fits(mask, queries, keys))
        throw Error(Errc::option_value, "mask ", in_quotes(text), ": is not for ", queries, " queries and ", keys,
                    " keys: lengths have to add up, and where there are not as many of both, top_left, bottom_right or "
                    "after N has to say which corner the diagonal begins in");
    return mask;
}

}  // namespace tessera::inline TESSERA_ISA
