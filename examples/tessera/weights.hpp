// The words of --weights.
#pragma once
#include <string>
#include <tessera/core/dtype.hpp>
#include <vector>

namespace program {

inline const std::vector<std::string> weight_words{"f32", "bf16", "f16", "i8"};

/// The type that one of `weight_words` names.
inline tessera::DType weights_named(const std::string& word) {
    using tessera::DType;
    return word == "f32" ? DType::f32 : word == "bf16" ? DType::bf16 : word == "f16" ? DType::f16 : DType::i8;
}

}  // namespace program
