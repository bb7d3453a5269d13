// Back through attention.
#pragma once
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/train/backward/context.hpp>

namespace tessera::inline TESSERA_ISA {

/// cost    that of kernel::attend_backward, and a pass over each gradient that is added to what other attentions gave
inline void backward(const AttendOp& op, BackwardContext& c) {
    const float* const d_out = c.rows.at(op.out);
    if (d_out == nullptr) return;
    const kernel::AttentionShape& shape = op.shape;
    const auto frame = c.scratch.frame();

    // The kernel overwrites, so what is to be added to another part is written apart first. It always makes that of the queries.
    struct Part {
        const float* x;
        Index rows, width, stride;
        GradientTarget target = {};
        float* made = nullptr;
    };
    Part parts[] = {{op.q, shape.queries, shape.heads * shape.dim, shape.q_stride},
                    {op.k, shape.keys, shape.groups() * shape.dim, shape.k_stride},
                    {op.v, shape.keys, shape.groups() * shape.dim, shape.v_stride}};
    for (Part& part : parts) {
        part.target = c.rows.into(part.x, part.rows, part.width, part.stride);
        if (part.target && !part.target.add)
            part.made = part.target.to;
        else if (part.target || &part == &parts[0])
            part.made = c.scratch.take<float>(part.rows * part.stride);
    }

    kernel::BiasGradient d_bias;
    float* const d_table = c.leaves.find(op.bias.table);
    float* d_distances = nullptr;
    if (d_table != nullptr) {
        const DiagonalBias places(c.scratch.take<float>(DiagonalBias::size(shape.heads, shape.queries, shape.keys)),
                                  shape.heads, shape.queries, shape.keys, [](Index, Index) { return 0.0f; });
        d_distances = c.scratch.take<float>(shape.heads * places.width());
        d_bias = kernel::DiagonalGradient{d_distances, places};
    }
    kernel::attend_backward({.dq = parts[0].made,
                             .dk = parts[1].made,
                             .dv = parts[2].made,
                             .d_out = d_out,
                             .out = op.out,
                             .lse = op.lse,
                             .q = op.q,
                             .k = op.k,
                             .v = op.v},
                            shape, op.mask, c.scratch, op.score_mod, d_bias);
    if (d_table != nullptr)
        relative_bias_backward({d_table, {op.bias.buckets.buckets, shape.heads}},
                               {d_distances, {shape.heads, shape.queries + shape.keys - 1}}, op.bias.buckets,
                               shape.keys);
    for (const Part& part : parts)
        if (part.target.add) BackwardContext::add(part.target, part.made, part.rows, part.width, part.stride);
}

}  // namespace tessera::inline TESSERA_ISA
