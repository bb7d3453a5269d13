// Back through what goes number by number or row by row: tables, sums, products, dropout, rows of length 1, means.
#pragma once
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/kernel/row/mean.hpp>
#include <tessera/kernel/row/normalize.hpp>
#include <tessera/train/backward/context.hpp>

namespace tessera::inline TESSERA_ISA {

/// Tokens add to their row of the table in their order, so that the result does not hang on threads, which share the columns.
inline void backward(const EmbedOp& op, BackwardContext& c) {
    const float* const dy = c.rows.at(op.y);
    float* const table = c.leaves.find(op.table);
    if (dy == nullptr || table == nullptr) return;
    kernel::parallel_ranges(
        op.width,
        [&](Index begin, Index end) {
            for (Index row = 0; row < op.rows; ++row) {
                const Index at = op.ids.empty() ? op.first_row + row : Index{op.ids[static_cast<std::size_t>(row)]};
                for (Index i = begin; i < end; ++i) table[at * op.width + i] += dy[row * op.width + i];
            }
        },
        4 * op.rows * op.width);
}

inline void backward(const AddOp& op, BackwardContext& c) {
    const float* const dy = c.rows.at(op.y);
    if (dy == nullptr) return;
    const Index count = op.rows * op.width;
    if (op.x != op.y)
        if (const GradientTarget x = c.rows.into(op.x, count)) BackwardContext::add(x, dy, count);
    if (float* const table = c.leaves.find(op.table))
        BackwardContext::add({table + op.first_row * op.width, true}, dy, count);
}

inline void backward(const FunctionOp& op, BackwardContext& c) {
    if (c.rows.at(op.y) != nullptr) op.back(op.function, c);
}

inline void backward(const MultiplyOp& op, BackwardContext& c) {
    const float* const dy = c.rows.at(op.y);
    if (dy == nullptr) return;
    const auto product = [&](const float* x, const float* other) {
        float* const to = c.rows.into(x, op.count).added_to(op.count);
        for (Index i = 0; to != nullptr && i < op.count; ++i) to[i] += dy[i] * other[i];
    };
    product(op.a, op.b);
    product(op.b, op.a);
}

inline void backward(const DropoutOp& op, BackwardContext& c) {
    const float* const dy = c.rows.at(op.y);
    if (dy == nullptr) return;
    if (const GradientTarget x = c.rows.into(op.x, op.count))
        kernel::dropout(x.to, dy, op.count, op.dropout, x.add ? x.to : nullptr);
}

inline void backward(const NormalizeOp& op, BackwardContext& c) {
    const float* const dy = c.rows.at(op.y);
    if (dy == nullptr) return;
    if (const GradientTarget x = c.rows.into(op.x, op.rows * op.width))
        kernel::normalize_rows_backward(x.to, x.add, dy, op.y, op.norms, op.rows, op.width);
}

inline void backward(const MeanOp& op, BackwardContext& c) {
    const float* const dy = c.rows.at(op.y);
    if (dy == nullptr) return;
    if (const GradientTarget x = c.rows.into(op.x, op.groups * op.rows_per_group * op.width))
        kernel::mean_rows_backward(x.to, x.add, dy, op.groups, op.rows_per_group, op.width);
}

}  // namespace tessera::inline TESSERA_ISA
