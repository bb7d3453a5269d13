// What gemm's y = x·Wᵀ + b gives back: dx = dy·W, dW += dyᵀ·x, db += Σ dy.
#pragma once
#include <tessera/kernel/matmul/bias_gradient.hpp>
#include <tessera/kernel/matmul/input_gradient.hpp>
#include <tessera/kernel/matmul/weight_gradient.hpp>
