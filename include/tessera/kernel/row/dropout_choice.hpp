// What becomes of a vector of numbers under dropout.
#pragma once
#include <tessera/core/dropout.hpp>
#include <tessera/core/split_mix.hpp>
#include <tessera/kernel/simd/vec.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// A vector's lanes as integers.
using Hashes [[gnu::vector_size(Vec::width * 4)]] = std::uint32_t;

/// Lane i is i.
inline Hashes lane_numbers() {
    return []<unsigned... I>(std::integer_sequence<unsigned, I...>) { return Hashes{I...}; }
    (std::make_integer_sequence<unsigned, static_cast<unsigned>(width)>{});
}

/// The choices about 2³² numbers that have the upper half of `number` in common.
/// cost    about 20 instructions a vector
/// source  the finaliser of MurmurHash3 (Appleby, fmix32) with keys of SplitMix64
class DropoutChoice {
  public:
    DropoutChoice(const Dropout& dropout, std::uint64_t number) {
        TESSERA_EXPECTS(dropout.p >= 0 && dropout.p <= 1);
        const bool none = dropout.p == 1;
        const std::uint64_t keys = split_mix(split_mix(dropout.seed) ^ number >> 32);
        key_ = static_cast<std::uint32_t>(keys), other_key_ = static_cast<std::uint32_t>(keys >> 32);
        threshold_ = static_cast<std::uint32_t>(none ? 0 : double{dropout.p} * 0x1p32);
        scale_ = broadcast(none ? 0.0f : 1 / (1 - dropout.p));
    }

    /// x / (1 − p) where the number with the lower half `low` is kept, else 0.
    Vec operator()(Vec x, Hashes low) const {
        const Hashes hash = mix(mix(low ^ key_) ^ other_key_);
        const auto kept = reinterpret_cast<Hashes>(hash >= threshold_);
        const Vec all = x * scale_;
        return Vec{reinterpret_cast<decltype(all.reg())>(reinterpret_cast<Hashes>(all.reg()) & kept)};
    }

  private:
    /// fmix32, each bit of which depends on each bit of h.
    static Hashes mix(Hashes h) {
        h = (h ^ h >> 16) * 0x85ebca6bu;
        h = (h ^ h >> 13) * 0xc2b2ae35u;
        return h ^ h >> 16;
    }

    std::uint32_t key_, other_key_, threshold_;
    Vec scale_;
};

}  // namespace tessera::inline TESSERA_ISA::kernel
