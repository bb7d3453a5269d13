// The numbers that untrained parameters begin with.
#pragma once
#include <cmath>
#include <numbers>
#include <tessera/core/fnv1a.hpp>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/core/random_stream.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// How a parameter begins.
enum class Fresh {
    bert,  // what has two extents from N(0, 0.02²), biases 0, gains of norms 1
    torch  // matrix and bias uniform within 1/√columns of the matrix, as torch.nn.Linear does
};

/// Sets a parameter to what it begins with, as f32. The numbers depend on seed and path alone, not on what else there is.
inline void begin_fresh(const NamedLeaf& parameter, std::uint64_t seed, Fresh how = Fresh::bert, Index columns = 0) {
    constexpr std::uint64_t use = 0x6672657368;  // "fresh"
    const LeafRef& leaf = parameter.leaf;
    leaf.allocate(DType::f32);
    const std::uint64_t name = fnv1a(parameter.path);
    const bool is_matrix = leaf.extents().size() >= 2;
    const double bound = 1 / std::sqrt(static_cast<double>(columns > 0 ? columns : leaf.columns()));
    std::vector<float> row(static_cast<std::size_t>(leaf.columns()));
    for (Index i = 0; i < leaf.rows(); ++i) {
        RandomStream random(seed, use, name, i);
        for (float& x : row) {
            double drawn = parameter.path.ends_with("bias") ? 0 : 1;
            if (how == Fresh::torch) {
                drawn = random.uniform(-bound, bound);
            } else if (is_matrix) {  // Box and Muller 1958
                const double length = std::sqrt(-2 * std::log(1 - random.uniform()));
                drawn = 0.02 * length * std::cos(2 * std::numbers::pi * random.uniform());
            }
            x = static_cast<float>(drawn);
        }
        leaf.write(i, row.data(), 1);
    }
}

}  // namespace tessera::inline TESSERA_ISA
