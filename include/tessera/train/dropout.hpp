// How much a tape drops, and which numbers.
#pragma once
#include <tessera/core/dropout.hpp>
#include <tessera/core/error.hpp>
#include <tessera/core/split_mix.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// Dropout of a step of training, by BERT's names hidden_dropout_prob and attention_probs_dropout_prob.
struct DropoutRates {
    float hidden = 0;     // of the first norm's output, and of what is added to residuals; BERT, LAVIS: 0.1
    float attention = 0;  // of attention's probabilities; BERT, LAVIS: 0.1
    std::uint64_t seed = 0;
    Index step = 0;
};

/// Hands out numbers in the order in which layers ask.
class DropoutNumbers {
  public:
    DropoutNumbers() = default;
    /// errors  Errc::option_value for a rate that is not at least 0 and below 1
    explicit DropoutNumbers(const DropoutRates& rates)
        : hidden_(rates.hidden),
          attention_(rates.attention),
          seed_(split_mix(rates.seed) ^ static_cast<std::uint64_t>(rates.step)) {
        require("hidden", hidden_);
        require("attention", attention_);
    }

    /// What is dropped of the next `streams` of dropout_stream numbers each.
    Dropout next(DropoutSite site, Index streams) {
        const float p = site == DropoutSite::hidden ? hidden_ : attention_;
        if (p == 0) return {};
        const std::uint64_t first = next_;
        next_ += static_cast<std::uint64_t>(streams) * dropout_stream;
        return {p, seed_, first};
    }

  private:
    static void require(const char* what, float p) {
        if (!(p >= 0 && p < 1))
            throw Error(Errc::option_value, "Tape: dropout: expected a rate for '", what,
                        "' of at least 0 and below 1, found ", p);
    }

    float hidden_ = 0, attention_ = 0;
    std::uint64_t seed_ = 0, next_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
