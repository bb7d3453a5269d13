// Random numbers by their place: what is drawn for a seed, an epoch and an item depends on nothing else.
#pragma once
#include <tessera/core/split_mix.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// A sequence of its own for each seed and place: RandomStream(seed, use, epoch, item). `use` is a constant of whoever draws, so that
/// two who draw for the same item get different numbers.
/// source  Steele 2014 (SplitMix64)
class RandomStream {
  public:
    template <class... Place>
    explicit constexpr RandomStream(std::uint64_t seed, Place... place) : at_(split_mix(seed)) {
        ((at_ = split_mix(at_ ^ static_cast<std::uint64_t>(place))), ...);
    }

    constexpr std::uint64_t bits() {
        const std::uint64_t out = split_mix(at_);
        at_ += split_mix_step;
        return out;
    }
    /// In [0, 1), a multiple of 2⁻⁵³.
    constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    /// In [lowest, highest).
    double uniform(double lowest, double highest) {
        const double span = highest - lowest;
        const volatile double part =
            span * uniform();  // rounded before it is added, so that all machines draw the same
        return lowest + part;
    }
    /// One of 0, …, count − 1, each as likely as the others.
    constexpr Index below(Index count) {
        TESSERA_EXPECTS(count > 0);
        const auto n = static_cast<std::uint64_t>(count);
        const std::uint64_t unfair = (0 - n) % n;  // numbers below it would make some remainders more frequent
        std::uint64_t random = bits();
        while (random < unfair) random = bits();
        return static_cast<Index>(random % n);
    }
    constexpr bool chance(double probability) { return uniform() < probability; }

  private:
    std::uint64_t at_;
};

}  // namespace tessera::inline TESSERA_ISA
