// The activation functions of the models here; what they compute is in kernel/activation.
#pragma once
#include <cstdint>
#include <string_view>
#include <tessera/core/compiler.hpp>

namespace tessera::inline TESSERA_ISA {

enum class Activation : std::uint8_t {
    none,
    relu,
    gelu,        // ½x(1 + erf(x/√2)): ViT-g, the Q-Former, BLIP-2's FlanT5
    gelu_tanh,   // ½x(1 + tanh(√(2/π)(x + 0.044715x³))): plain FlanT5
    quick_gelu,  // x·σ(1.702x): CLIP
};

constexpr std::string_view name(Activation f) {
    switch (f) {
        case Activation::none:
            return "none";
        case Activation::relu:
            return "relu";
        case Activation::gelu:
            return "gelu";
        case Activation::gelu_tanh:
            return "gelu_tanh";
        case Activation::quick_gelu:
            return "quick_gelu";
    }
    return "unknown";
}

}  // namespace tessera::inline TESSERA_ISA
