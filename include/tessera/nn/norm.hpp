// Norms over the width of each row.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/core/visit.hpp>
#include <tessera/kernel/row/norm.hpp>
#include <tessera/nn/linear.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {
/// What LayerNorm and RmsNorm share; `bias` is null for the latter.
template <Index Width>
void norm_into(const char* name, NormKind kind, float eps, const Parameter<Width>& weight, const Parameter<Width>* bias,
               Rows<Width> y, ConstRows<Width> x, Scratch& s) {
    if (!weight.is_set() || (bias != nullptr && !bias->is_set()))
        throw Error(Errc::weight_unset, name, "<", Width, ">: called before its weights were set");
    const Index rows = x.extent(0);
    require_rows(name, Width, "an output", rows, y.extent(0));
    float* const rstd = s.keeps() ? s.take<float>(rows) : nullptr;
    float* const mean = s.keeps() && kind == NormKind::layer ? s.take<float>(rows) : nullptr;
    if (kind == NormKind::layer)
        kernel::layer_norm(y.data(), x.data(), weight.data(), bias->data(), rows, Width, eps, mean, rstd);
    else
        kernel::rms_norm(y.data(), x.data(), weight.data(), rows, Width, eps, rstd);
    s.record(NormOp{y.data(), x.data(), rows, Width, kind, eps, weight.data(), bias == nullptr ? nullptr : bias->data(),
                    mean, rstd, &weight, bias});
}
}  // namespace detail

/// (x − mean) / √(variance + eps) · weight + bias, row by row.
/// shape   x [rows, Width] → [rows, Width]
/// errors  Errc::weight_unset before the weights are there; Errc::rows_mismatch
/// source  Ba 2016
template <Index Width>
struct LayerNorm {
    static constexpr Index width = Width;

    float eps = 1e-5f;
    Parameter<Width> weight{}, bias{};

    /// Writes into `y`, which may be `x` where no tape listens.
    void into(Rows<Width> y, ConstRows<Width> x, Scratch& s) const {
        detail::norm_into<Width>("LayerNorm", NormKind::layer, eps, weight, &bias, y, x, s);
    }
    Rows<Width> operator()(ConstRows<Width> x, Scratch& s) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, s);
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

/// x / √(mean of x² + eps) · weight, row by row: the norm of T5.
/// shape   x [rows, Width] → [rows, Width]
/// errors  Errc::weight_unset before the weights are there; Errc::rows_mismatch
/// source  Zhang and Sennrich 2019
template <Index Width>
struct RmsNorm {
    static constexpr Index width = Width;

    float eps = 1e-6f;
    Parameter<Width> weight{};

    /// Writes into `y`, which may be `x` where no tape listens.
    void into(Rows<Width> y, ConstRows<Width> x, Scratch& s) const {
        detail::norm_into<Width>("RmsNorm", NormKind::rms, eps, weight, nullptr, y, x, s);
    }
    Rows<Width> operator()(ConstRows<Width> x, Scratch& s) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, s);
        return y;
    }

    static void visit(auto& self, auto&& f) { f("weight", self.weight); }
};

}  // namespace tessera::inline TESSERA_ISA
