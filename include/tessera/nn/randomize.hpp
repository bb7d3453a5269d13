// Random weights, for models that are to be trained, timed or tried out.
#pragma once
#include <cmath>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/core/split_mix.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Sets every parameter of `model`: matrices uniformly with a variance of 1 / columns, vectors named `bias` to 0, other
/// single rows (the gains of norms) to 1. The same numbers for the same seed, everywhere.
void randomize(auto& model, std::uint64_t seed, DType stored = DType::f32) {
    for (const auto& [path, leaf] : leaves_of(model)) {
        leaf.allocate(stored);
        const float fill = leaf.rows() > 1 ? 0.0f : path.ends_with("bias") ? 0.0f : 1.0f;
        const float scale = leaf.rows() > 1 ? std::sqrt(12.0f / static_cast<float>(leaf.columns())) : 0.0f;
        std::vector<float> row(static_cast<std::size_t>(leaf.columns()));
        for (Index i = 0; i < leaf.rows(); ++i) {
            for (float& x : row) {
                x = fill + scale * (static_cast<float>(split_mix(seed) >> 40) * 0x1p-24f - 0.5f);
                seed += split_mix_step;
            }
            leaf.write(i, row.data(), 1);
        }
    }
}

}  // namespace tessera::inline TESSERA_ISA
