// How much memory a model needs, without filling it.
#pragma once
#include <algorithm>
#include <tessera/core/visit.hpp>
#include <tessera/model/blip2/blip2.hpp>

namespace tessera::inline TESSERA_ISA {

/// Bytes that the learned numbers of `model` take where matrices are kept as `weights`; it may be empty.
Index parameter_bytes_as(const auto& model, DType weights) {
    Index bytes = 0;
    for_each_parameter(model,
                       [&]<Leaf L>(const std::string&, const L&) { bytes += L::bytes_as(weights); });
    return bytes;
}

}  // namespace tessera::inline TESSERA_ISA
