// What a forward pass tells to whoever listens: a profiler, a dump of intermediate values, a training tape.
#pragma once
#include <string_view>
#include <tessera/core/activation.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

/// y [rows, out] = activation(x [rows, in] · weightᵀ + bias) + residual
struct LinearCall {
    const void* layer;  // the Linear that did it
    float* y;
    const float* x;
    const float* residual;  // null where there is none; may be y
    Index rows, in, out;
    Activation activation;
};

/// y [rows, width] = norm(x [rows, width])
struct NormCall {
    const void* layer;
    float* y;
    const float* x;
    Index rows, width;
};

/// out [queries, heads·head_dim] = attention of q over k and v where a mask allows it
struct AttendCall {
    float* out;
    const float *q, *k, *v;
    Index queries, keys, heads, head_dim, key_heads;
};

/// y [rows, width] = rows of a table
struct EmbedCall {
    const void* layer;
    float* y;
    Index rows, width;
};

/// An intermediate value with a name: `vision.layer` 3 [rows, width].
struct Named {
    std::string_view name;
    Index index;  // −1 where there is only one
    const float* values;
    Index rows, width;
};

/// Listens to the kernel calls of everything that runs on a Scratch. Each call comes after the work is done.
struct Recorder {
    virtual ~Recorder() = default;
    virtual void on(const LinearCall&) {}
    virtual void on(const NormCall&) {}
    virtual void on(const AttendCall&) {}
    virtual void on(const EmbedCall&) {}
    virtual void on(const Named&) {}
};

}  // namespace tessera::inline TESSERA_ISA
