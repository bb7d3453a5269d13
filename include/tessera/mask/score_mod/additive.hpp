// A bias from a table with a number for each score.
#pragma once
#include <tessera/mask/score_mod/score_mod.hpp>

namespace tessera::inline TESSERA_ISA {

/// Adds a table of numbers, one for each score.
/// shape   values [H or 1, T, S], one table for each head or one for all; borrowed, not copied
struct AdditiveBias {
    View<const float, dyn, dyn, dyn> values;

    constexpr float operator()(Site at) const { return values(table(at.head), at.query, at.key); }
    constexpr const float* row(Index head, Index query) const {
        return values.data() + (table(head) * values.extent(1) + query) * values.extent(2);
    }

  private:
    constexpr Index table(Index head) const { return values.extent(0) == 1 ? Index{0} : head; }
};

}  // namespace tessera::inline TESSERA_ISA
