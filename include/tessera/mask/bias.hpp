// What is added to a score before the softmax: the other extension point of attention.
#pragma once
#include <concepts>
#include <tessera/mask/mask.hpp>

namespace tessera {

/// A bias is a value that gives a number for each score: bias(Site) → float. It is asked only where the mask allows.
template <class B>
concept Bias = std::copy_constructible<B> && requires(const B& bias, Site at) {
    { bias(at) } -> std::convertible_to<float>;
};

/// Adds nothing, and costs nothing.
struct NoBias {
    constexpr float operator()(Site) const { return 0.0f; }
};

}  // namespace tessera
