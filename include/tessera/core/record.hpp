// What a forward pass reports to whoever listens: a profiler, a dump of intermediate values, a training tape.
#pragma once
#include <string>
#include <string_view>
#include <tessera/core/dropout.hpp>
#include <tessera/core/view.hpp>

namespace tessera::inline TESSERA_ISA {

// The records of kernel calls; nn/record.hpp says what is in them.
struct LinearOp;
struct NormOp;
struct AttendOp;
struct EmbedOp;
struct AddOp;
struct MultiplyOp;
struct FunctionOp;
struct NormalizeOp;
struct MeanOp;
struct DropoutOp;

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
    virtual void on(const FunctionOp&) {}
    virtual void on(const NormalizeOp&) {}
    virtual void on(const MeanOp&) {}
    virtual void on(const DropoutOp&) {}
    virtual void on(const Named&) {}

    /// Whether what records point at has to stay, as a tape needs it to go back. Then frames within which something was kept
    /// free nothing, and layers also keep what only the backward pass reads: pre-activations, log-sum-exps, statistics of
    /// norms.
    virtual bool keeps() const { return false; }
    /// For who keeps: how much so far, pieces of memory that were taken and records.
    struct Kept {
        Index pieces = 0, records = 0;
    };
    virtual Kept kept() const { return {}; }
    /// The next piece of memory was taken; those after the first `pieces` were given back.
    virtual void took(const void*, Index /*bytes*/) {}
    virtual void gave_back(Index /*pieces*/) {}
    /// What comes in between is one block of a stack: it reads rows that stay, and writes rows that stay.
    virtual void begin_block() {}
    virtual void end_block() noexcept {}
    /// What the next `streams` of dropout_stream numbers each are dropped by; see Scratch::dropping.
    virtual Dropout dropout_for(DropoutSite, Index /*streams*/) { return {}; }
};

}  // namespace tessera::inline TESSERA_ISA
