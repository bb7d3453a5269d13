// What becomes of weights when they are kept in fewer bits: plain loops that panels are held against.
#pragma once
#include <algorithm>
#include <cmath>
#include <tessera/core/dtype.hpp>

namespace tessera::test {

/// As what weights can be kept.
inline constexpr DType weight_dtypes[] = {DType::f32, DType::bf16, DType::f16, DType::i8};

/// Rounds rows of `columns` finite numbers to what `stored` can keep of them.
inline void round_as(DType stored, float* rows, Index count, Index columns) {
    for (Index r = 0; r < count; ++r) {
        float* const row = rows + r * columns;
        float largest = 0;
        for (Index c = 0; c < columns; ++c) largest = std::max(largest, std::abs(row[c]));
        const float scale = largest / 127.0f;
        for (Index c = 0; c < columns; ++c) {
            if (stored == DType::bf16) row[c] = to_float(to_bf16(row[c]));
            if (stored == DType::f16) row[c] = to_float(to_f16(row[c]));
            if (stored == DType::i8)
                row[c] = scale > 0 ? scale * std::clamp(std::nearbyint(row[c] / scale), -127.0f, 127.0f) : 0.0f;
        }
    }
}

}  // namespace tessera::test
