// The record of each kind of kernel call: all that going back through it needs, with sizes at run time.
#pragma once
#include <span>
#include <tessera/core/activation.hpp>
#include <tessera/core/products.hpp>
#include <tessera/core/record.hpp>
#include <tessera/core/token.hpp>
#include <tessera/kernel/attention/shape.hpp>
#include <tessera/kernel/matmul/pack.hpp>
#include <tessera/mask/mask_ref.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/mask/score_mod/score_mod_ref.hpp>

namespace tessera::inline TESSERA_ISA {

/// A learned parameter, by its address; null where there is none.
using LeafId = const void*;

/// y [rows, out] = dropout(activation(x [rows, in] · weightᵀ + bias)) + residual
struct LinearOp {
    float* y;
    const float* x;
    Index rows, in, out, y_stride, x_stride;
    const float* residual = nullptr;  // as far apart as rows of y; null where there is none
    float* preactivation = nullptr;   // [rows, out]; null without an activation, or where nobody keeps it
    Activation activation = Activation::none;
    const kernel::PackedB* weight;
    const float* bias = nullptr;  // [out]
    LeafId weight_leaf, bias_leaf = nullptr;
    Index first_row = 0;                // of the leaves, where this product takes only some of their rows
    bool transposed = false;            // rows of the leaf are inputs, not outputs
    const float* lse = nullptr;         // [rows]: y is 0 where it is −∞, whatever the bias; null where no row is
    Dropout dropout = {};               // of y, whose rows then lie together
    Products products = Products::f32;  // bf16 where x was rounded to that, and dy is to be
};

enum class NormKind : bool { layer, rms };

/// y [rows, width] = norm(x [rows, width]) · gain + bias
struct NormOp {
    float* y;
    const float* x;
    Index rows, width;
    NormKind kind;
    float eps;
    const float *gain, *bias;  // [width]; RMS norm has no bias
    float *mean, *rstd;        // [rows]; null where nobody keeps them, and for RMS norm there is no mean
    LeafId gain_leaf, bias_leaf;
};

/// The learned table of a relative bias that a score modifier was made of; none where `table` is null.
struct LearnedBias {
    LeafId table = nullptr;  // [buckets, heads]
    RelativeBuckets buckets = {};
};

/// out [queries, heads·d] = attention of q over k and v where `mask` allows it, scores modified by `score_mod`, probabilities
/// dropped as `shape` says. Who keeps
/// the record longer than the call lasts copies mask and score_mod (`copy_to`).
struct AttendOp {
    float* out;
    const float *q, *k, *v;
    float* lse;  // [heads, queries]; null where nobody keeps it
    kernel::AttentionShape shape;
    MaskRef mask;
    ScoreModRef score_mod;
    LearnedBias bias;  // of which score_mod was made
};

/// y [rows, width] = rows `ids` of a table; without ids, the rows from `first_row` on
struct EmbedOp {
    float* y;
    Index rows, width;
    std::span<const Token> ids;
    Index first_row;
    LeafId table;
};

/// y [rows, width] = x [rows, width] + the rows of a table from `first_row` on, or just x without a table; x may be y
struct AddOp {
    float* y;
    const float* x;
    Index rows, width, first_row;
    LeafId table;
    const float* added = nullptr;  // these rows of the table
};

/// y [count] = a · b, number by number
struct MultiplyOp {
    float* y;
    const float *a, *b;
    Index count;
};

struct BackwardContext;  // train/backward/context.hpp

/// Numbers at y that were computed from `reads` and `leaves` by no kernel of a model, such as a loss; `back` takes the
/// gradient by y further. It is a trivially copyable function object of `bytes`, which who keeps the record copies.
struct FunctionOp {
    const float* y;
    std::span<const float* const> reads;
    std::span<const LeafId> leaves;
    const void* function;
    std::size_t bytes;
    void (*back)(const void* function, BackwardContext&);
};

/// y [rows, width] = x [rows, width], each row made as long as 1
struct NormalizeOp {
    float* y;
    const float* x;
    float* norms;  // [rows], lengths of x's rows; null where nobody keeps them
    Index rows, width;
};

/// y [groups, width] = the means of `rows_per_group` rows of x [groups·rows_per_group, width] each
struct MeanOp {
    float* y;
    const float* x;
    Index groups, rows_per_group, width;
};

/// y [count] = dropout(x [count])
struct DropoutOp {
    float* y;
    const float* x;
    Index count;
    Dropout dropout;
};

}  // namespace tessera::inline TESSERA_ISA
