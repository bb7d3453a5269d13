// What gemm's y = x·Wᵀ + b gives back: dx = dy·W, dW += dyᵀ·x, db += Σ dy.
#pragma once
#include <tessera/kernel/bias_gradient.hpp>
#include <tessera/kernel/input_gradient.hpp>
#include <tessera/kernel/weight_gradient.hpp>
