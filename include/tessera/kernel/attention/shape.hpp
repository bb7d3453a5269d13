// The sizes of an attention, and which probabilities it drops.
#pragma once
#include <tessera/core/dropout.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Sizes of an attention, and how many numbers lie between the rows of its operands; head h is the columns
/// [h·dim, (h + 1)·dim) of a row of queries. With fewer heads of keys and values than of queries (grouped-query
/// attention; multi-query if there is one) head h looks at theirs number h / (heads / key_heads).
struct AttentionShape {
    Index heads, queries, keys, dim;
    Index q_stride, k_stride, v_stride, out_stride;
    float scale;          // of q·k, usually 1/√dim
    Index key_heads = 0;  // a divisor of heads; 0 for as many
    Dropout dropout =
        {};  // of probabilities: that of head h, query t and key s has the number first + 2³²·h + t·keys + s

    constexpr Index groups() const { return key_heads == 0 ? heads : key_heads; }
    constexpr Index key_head(Index head) const { return head / (heads / groups()); }
};

}  // namespace tessera::inline TESSERA_ISA::kernel
