// Scores kept within a limit.
#pragma once
#include <cmath>
#include <tessera/mask/score_mod/score_mod.hpp>

namespace tessera::inline TESSERA_ISA {

/// Keeps scores between −limit and limit: limit · tanh(score / limit).
/// source  Gemma Team 2024 (Gemma 2) §2
struct SoftCap {
    float limit;

    float operator()(float score, Site) const { return limit * std::tanh(score / limit); }
    float derivative(float score, Site) const {
        const float share = std::tanh(score / limit);
        return 1.0f - share * share;
    }
};

}  // namespace tessera::inline TESSERA_ISA
