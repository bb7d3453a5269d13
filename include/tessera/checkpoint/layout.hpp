// How a parameter lies in a stored tensor.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <tessera/core/view.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A learned tensor of a model: its path, and its extents as rows and columns.
struct TensorSpec {
    std::string path;
    Index rows = 0, columns = 0;
    Index size() const { return rows * columns; }
    friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

/// What the extents of a stored tensor mean.
struct Layout {
    enum class Form : std::uint8_t {
        matrix,   // [rows, columns]
        vector,   // [columns]
        batched,  // [1, rows, columns]
        patches,  // [rows, 3, p, p]
        any,      // rows × columns numbers, under whatever extents
        zeros,    // the parameter is zeros wherever the file has this tensor
    };
    Form form = Form::any;
    int qkv_part = -1;  // 0, 1, 2: the parameter is that third of a fused projection

    /// The shape a file should have.
    std::vector<Index> shape(const TensorSpec& spec) const {
        const Index rows = (qkv_part < 0 ? 1 : 3) * spec.rows;
        Index p = 0;
        switch (form) {
            case Form::vector:
                return {rows * spec.columns};  // one row, or the three of a fused bias
            case Form::batched:
                return {1, rows, spec.columns};
            case Form::patches:
                while (3 * p * p < spec.columns) ++p;
                return {rows, 3, p, p};
            default:
                return {rows, spec.columns};
        }
    }
    /// Whether a tensor of shape `found`, `size` elements in all, holds the parameter.
    bool fits(const TensorSpec& spec, std::span<const Index> found, Index size) const {
        if (form == Form::zeros) return true;
        if (form != Form::any) return std::ranges::equal(found, shape(spec));
        return size == spec.size() && (spec.rows == 1 || (!found.empty() && found[0] == spec.rows));
    }
    /// Elements of the tensor before the first of the parameter.
    Index offset(const TensorSpec& spec) const { return qkv_part < 0 ? 0 : qkv_part * spec.size(); }
};

}  // namespace tessera::inline TESSERA_ISA
