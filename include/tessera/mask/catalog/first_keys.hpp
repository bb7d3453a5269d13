// A padded context, or a prefix.
#pragma once
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Only the first `count` keys are visible.
///     # # . .
///     # # . .
///     # # . .
struct FirstKeys {
    Index count;

    constexpr bool allows(Site at) const { return at.key < count; }
    constexpr Range key_bounds(Range) const { return {0, count}; }
    constexpr Range full_keys(Range) const { return {0, count}; }
    static constexpr bool cover_is_exact() { return true; }
    static constexpr Index heads() { return 1; }
};

}  // namespace tessera::inline TESSERA_ISA
