// No mask at all.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Every query sees every key.
///     # # # #
///     # # # #
///     # # # #
struct Full {
    constexpr bool allows(Site) const { return true; }
    constexpr Range key_bounds(Range) const { return Range::everywhere; }
    constexpr Range full_keys(Range) const { return Range::everywhere; }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }
};

}  // namespace tessera::inline TESSERA_ISA
