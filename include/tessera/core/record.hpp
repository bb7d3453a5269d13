// What a forward pass reports to whoever listens: a profiler, a dump of intermediate values, a training tape.
#pragma once
#include <string>
#include <string_view>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

// The records of kernel calls; nn/record.hpp says what is in them.
struct LinearOp;
struct NormOp;
struct AttendOp;
struct EmbedOp;
struct AddOp;
struct MultiplyOp;

/// An intermediate value with a name: `vision.layer` 3 [rows, width].
struct Named {
    std::string_view name;
    Index index;  // −1 where there is only one
    const float* values;
    Index rows, width;

    /// `vision.layer_3`
    std::string path() const { return std::string(name) + (index < 0 ? "" : '_' + std::to_string(index)); }
};

/// Listens to the kernel calls of everything that runs on a Scratch. Each record comes after the work is done.
class Recorder {
  public:
    virtual ~Recorder() = default;
    virtual void on(const LinearOp&) {}
    virtual void on(const NormOp&) {}
    virtual void on(const AttendOp&) {}
    virtual void on(const EmbedOp&) {}
    virtual void on(const AddOp&) {}
    virtual void on(const MultiplyOp&) {}
    virtual void on(const Named&) {}

    /// Whether what records point at has to stay, as a tape needs it to go back. Then frames free nothing, and layers also
    /// keep what only the backward pass reads: pre-activations, log-sum-exps, statistics of norms.
    virtual bool keeps() const { return false; }
};

}  // namespace tessera::inline TESSERA_ISA
