// How likely tokens are, as whole numbers that come out alike on every machine.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <tessera/core/scratch.hpp>

namespace tessera::inline TESSERA_ISA {

/// e^(score − largest score) of each score, times `one`, rounded down. Everything but one subtraction and one product is
/// done with integers: no function of libm, no rounding that depends on a compiler's flags, no order of summation. Equal
/// scores give equal numbers everywhere.
/// shape   scores [V]
/// units   off by at most 2^−30 of the largest; what is less than 2^−32 of it is 0
/// cost    V words of scratch, in the frame of the caller; some 40 operations for a score that is not 0
class ExpWeights {
  public:
    static constexpr std::uint64_t one = std::uint64_t{1} << 32;

    ExpWeights(std::span<const float> scores, Scratch& s)
        : weights_(s.take<std::uint64_t>(static_cast<Index>(scores.size()))) {
        const float top = *std::max_element(scores.begin(), scores.end());
        if (top == -std::numeric_limits<float>::infinity()) {  // no token may be chosen
            std::fill_n(weights_, scores.size(), 0);
            return;
        }
        for (std::size_t i = 0; i < scores.size(); ++i) total_ += weights_[i] = exp_of(scores[i], top);
    }

    std::uint64_t operator[](Index i) const { return weights_[i]; }
    std::uint64_t total() const { return total_; }

  private:
    static std::uint64_t exp_of(float score, float top) {
        constexpr double log2e = 1.4426950408889634;
        const double halvings = (static_cast<double>(top) - static_cast<double>(score)) * log2e;
        if (!(halvings < 32)) return 0;
        const auto fixed = static_cast<std::uint64_t>(halvings * static_cast<double>(one));
        // 2^−f = e^−g for the fraction f, by 1 − g(1 − g/2(1 − g/3(1 − …))), all terms being of the same sign: g < 0.7.
        constexpr std::uint64_t ln2 = 2977044472;  // times 2^32
        const std::uint64_t g = ((fixed & (one - 1)) * ln2) >> 32;
        std::uint64_t sum = one;
        for (std::uint64_t term = 12; term > 0; --term) sum = one - ((g * sum) >> 32) / term;
        return sum >> (fixed >> 32);
    }

    std::uint64_t* weights_;
    std::uint64_t total_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
