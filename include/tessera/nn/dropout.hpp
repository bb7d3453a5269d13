// Dropout of rows between layers.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/nn/record.hpp>

namespace tessera::inline TESSERA_ISA {

/// New rows, of which a tape with dropout drops some numbers; anywhere else x itself. See Scratch::dropping.
/// shape   x [rows, Width] → [rows, Width]
template <Index Width>
Rows<Width> drop_rows(Rows<Width> x, Scratch& s) {
    const Dropout dropout = s.next_dropout(DropoutSite::hidden);
    if (!dropout) return x;
    const auto y = s.rows<Width>(x.extent(0));
    kernel::dropout(y.data(), x.data(), x.size(), dropout);
    s.record(DropoutOp{y.data(), x.data(), x.size(), dropout});
    return y;
}

}  // namespace tessera::inline TESSERA_ISA
