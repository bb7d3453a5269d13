// Dropout whose choices are a function of a seed and a number's place: nothing is stored, whatever the threads and the pieces,
// and the backward pass makes the same choices again.
#pragma once
#include <cstdint>
#include <tessera/core/split_mix.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// y[i] = x[i] / (1 − p) where number first + i of the seed is kept, else 0: each with probability 1 − p, p to 2⁻³². Applied to
/// dy it is the backward pass.
/// shape   count numbers; y may be x; with `add` they are added to y, which is not x
/// units   0 ≤ p ≤ 1; a NaN that is dropped is 0
/// errors  none; the same bits at any number of threads and on every instruction set
/// cost    about 20 instructions a vector: as fast as memory
/// source  Srivastava 2014; numbers by the finaliser of MurmurHash3 (Appleby, fmix32) with keys of SplitMix64
TESSERA_KERNEL void dropout(float* y, const float* x, Index count, float p, std::uint64_t seed, std::uint64_t first,
                            bool add = false) noexcept;

#if TESSERA_KERNEL_BODIES
/// Detail: a vector's lanes as integers.
using Hashes [[gnu::vector_size(Vec::width * 4)]] = std::uint32_t;

/// Detail: fmix32, each bit of which depends on each bit of h.
inline Hashes murmur_mix(Hashes h) {
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

/// Detail: lane i is i.
inline Hashes lane_numbers() {
    return []<unsigned... I>(std::integer_sequence<unsigned, I...>) { return Hashes{I...}; }
    (std::make_integer_sequence<unsigned, static_cast<unsigned>(width)>{});
}

TESSERA_KERNEL void dropout(float* y, const float* x, Index count, float p, std::uint64_t seed, std::uint64_t first,
                            bool add) noexcept {
    TESSERA_EXPECTS(p >= 0 && p <= 1);
    const bool none = p == 1;
    const auto threshold = static_cast<std::uint32_t>(none ? 0 : double{p} * 0x1p32);
    const Vec scale = broadcast(none ? 0.0f : 1 / (1 - p));
    for_each_piece(count, 16, [=](Index begin, Index numbers) {
        const Hashes lane = lane_numbers();
        while (numbers > 0) {
            const std::uint64_t number = first + static_cast<std::uint64_t>(begin), high = number >> 32;
            const auto low = static_cast<std::uint32_t>(number);
            // Up to where the lower half begins again; the upper one is in the keys.
            const auto run = static_cast<Index>(
                std::min<std::uint64_t>(static_cast<std::uint64_t>(numbers), (std::uint64_t{1} << 32) - low));
            const std::uint64_t keys = split_mix(split_mix(seed) ^ high);
            const auto key = static_cast<std::uint32_t>(keys), other_key = static_cast<std::uint32_t>(keys >> 32);
            for_each_vec(run, [&](Index i, Index n) {
                const Hashes at = lane + (low + static_cast<std::uint32_t>(i));
                const Hashes hash = murmur_mix(murmur_mix(at ^ key) ^ other_key);
                const Vec all = load(x + begin + i, n) * scale;
                const auto kept = reinterpret_cast<Hashes>(hash >= threshold);
                const Vec left{reinterpret_cast<decltype(all.reg())>(reinterpret_cast<Hashes>(all.reg()) & kept)};
                store(y + begin + i, add ? load(y + begin + i, n) + left : left, n);
            });
            begin += run, numbers -= run;
        }
    });
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel
