// Back through a matrix product and what is done to it before it is stored.
#pragma once
#include <algorithm>
#include <limits>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/kernel/row/activation_backward.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/train/backward/context.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {
inline void input_gradient(GradientTarget x, const LinearOp& op, const float* dy, Index stride, Scratch& s) {
    if (op.products == Products::f32)
        return kernel::input_gradient(x.to, op.x_stride, dy, stride, op.rows, *op.weight, x.add);
    auto* const rounded = s.take<bf16>(op.rows * op.out);
    kernel::to_bf16(rounded, op.out, dy, stride, op.rows, op.out);
    kernel::input_gradient(x.to, op.x_stride, rounded, op.out, op.rows, *op.weight, x.add);
}
}  // namespace detail

/// Of y = dropout(activation(x · weightᵀ + bias)) + residual.
/// units   the gradient by the input is in the arithmetic that y was computed in; what is learned has gradients in f32 of x as it is
/// cost    2·rows·in·out flops each for the input and for the weight, where they learn
inline void backward(const LinearOp& op, BackwardContext& c) {
    const float* dy = c.rows.at(op.y);
    if (dy == nullptr) return;
    const auto frame = c.scratch.frame();
    if (op.residual != nullptr && op.residual != op.y) {
        if (const GradientTarget residual = c.rows.into(op.residual, op.rows, op.out, op.y_stride))
            BackwardContext::add(residual, dy, op.rows, op.out, op.y_stride);
    }
    const bool turned = op.activation != Activation::none, hides = op.lse != nullptr;
    Index stride = op.y_stride;
    if (turned || hides || op.dropout) {  // not in place: a residual that lies in y still waits for its share
        TESSERA_EXPECTS(!turned || op.preactivation != nullptr);
        float* const inner = c.scratch.take<float>(op.rows * op.out);
        if (hides || stride != op.out) {
            kernel::parallel_for(
                op.rows,
                [&](Index row) {
                    float* const to = inner + row * op.out;
                    if (hides && op.lse[row] == -std::numeric_limits<float>::infinity())
                        std::fill_n(to, op.out, 0.0f);
                    else
                        std::copy_n(dy + row * stride, op.out, to);
                },
                4 * op.rows * op.out);
            dy = inner;
        }
        if (op.dropout) kernel::dropout(inner, dy, op.rows * op.out, op.dropout), dy = inner;
        if (turned) kernel::activate_backward(inner, dy, op.preactivation, op.rows * op.out, op.activation);
        dy = inner, stride = op.out;
    }
    if (float* const bias = c.leaves.find(op.bias_leaf))
        kernel::bias_gradient(bias + op.first_row, dy, stride, op.rows, op.out);
    if (float* const weight = c.leaves.find(op.weight_leaf)) {
        if (op.transposed)
            kernel::weight_gradient(weight + op.first_row * op.out, op.in, op.out, op.x, op.x_stride, dy, stride,
                                    op.rows);
        else
            kernel::weight_gradient(weight + op.first_row * op.in, op.out, op.in, dy, stride, op.x, op.x_stride,
                                    op.rows);
    }
    if (const GradientTarget x = c.rows.into(op.x, op.rows, op.in, op.x_stride))
        detail::input_gradient(x, op, dy, stride, c.scratch);
}

}  // namespace tessera::inline TESSERA_ISA
