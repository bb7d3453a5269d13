// Random weights that depend on the seed, the tensor's name and the position in it, and on nothing else: whatever the
// number of threads, the size of the shards and the machine, the same weight has the same bits.
#pragma once
#include <cmath>
#include <cstdint>
#include <string_view>
#include <tessera/core/dtype.hpp>
#include <tessera/core/fnv1a.hpp>
#include <tessera/core/view.hpp>

namespace tessera::random_checkpoint {

/// What the weights of one tensor are drawn from.
struct Law {
    float mean = 0;
    float deviation = 1;
};

/// The finaliser of SplitMix64: every bit of the result depends on every bit of `x`.
/// source  Steele, Lea, Flood 2014
constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/// Where a tensor's numbers begin: a hash (FNV-1a) of its name, stirred with the seed.
constexpr std::uint64_t stream(std::uint64_t seed, std::string_view name) {
    return mix(tessera::fnv1a(name) ^ mix(seed + 1));
}

/// The i-th number of a stream: the sum of four uniform numbers of 16 bits, less its mean, as an integer below 2¹⁸.
/// Near enough to normal for weights, and exact, so that no library's logarithm or rounding can change it.
constexpr std::int32_t draw(std::uint64_t key, std::uint64_t i) {
    const std::uint64_t bits = mix(key + (i + 1) * 0x9e3779b97f4a7c15u);
    const std::uint64_t sum = (bits & 0xffffu) + (bits >> 16 & 0xffffu) + (bits >> 32 & 0xffffu) + (bits >> 48);
    return static_cast<std::int32_t>(sum) - 2 * 0xffff;
}
inline constexpr double draw_deviation = 37837.2266;  // √(4·(2³² − 1)/12)

template <class T>
constexpr T stored(float x) {
    if constexpr (std::same_as<T, bf16>)
        return to_bf16(x);
    else if constexpr (std::same_as<T, f16>)
        return to_f16(x);
    else
        return x;
}

/// Numbers `first`, `first` + 1, … of a tensor.
template <class T>
void fill(T* out, Index count, std::uint64_t key, Index first, Law law) {
    const auto scale = static_cast<float>(law.deviation / draw_deviation);
    const auto from = static_cast<std::uint64_t>(first);
    if (law.mean == 0) {
        for (Index i = 0; i < count; ++i)
            out[i] = stored<T>(scale * static_cast<float>(draw(key, from + static_cast<std::uint64_t>(i))));
    } else {  // fma by name: otherwise the compiler chooses how often to round
        for (Index i = 0; i < count; ++i)
            out[i] = stored<T>(
                std::fma(scale, static_cast<float>(draw(key, from + static_cast<std::uint64_t>(i))), law.mean));
    }
}

}  // namespace tessera::random_checkpoint
