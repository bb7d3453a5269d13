// A mixing function: numbers that look random, the same on every machine.
#pragma once
#include <cstdint>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

/// How far apart the numbers of a sequence are before they are mixed.
inline constexpr std::uint64_t split_mix_step = 0x9e3779b97f4a7c15u;

/// Every bit of the result depends on every bit of x. split_mix(x), split_mix(x + split_mix_step), … is the sequence.
/// source  Steele 2014 (SplitMix64)
constexpr std::uint64_t split_mix(std::uint64_t x) {
    x += split_mix_step;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

}  // namespace tessera::inline TESSERA_ISA
