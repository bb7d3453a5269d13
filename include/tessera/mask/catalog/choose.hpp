// One mask in some places, another one elsewhere.
#pragma once
#include <tessera/mask/algebra.hpp>

namespace tessera::inline TESSERA_ISA {

/// Where `when` is visible, `there` decides, elsewhere `elsewhere`.
///     Choose{FirstHeads{1}, Window{1}, Causal{}}, head 0 and head 1
///     # . . .        # . . .
///     # # . .        # # . .
///     . # # .        # # # .
///     . . # #        # # # #
template <Mask When, Mask A, Mask B>
struct Choose : Or<And<When, A>, And<Not<When>, B>> {
    constexpr Choose(When when, A there, B elsewhere)
        : Or<And<When, A>, And<Not<When>, B>>{{when & std::move(there), ~when & std::move(elsewhere)}} {}
};

}  // namespace tessera::inline TESSERA_ISA
