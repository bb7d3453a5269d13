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
struct Need {
    std::string path;
    Index rows = 0, columns = 0;
    friend bool operator==(const Need&, const Need&) = default;
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
    int third = -1;  // 0, 1, 2: the parameter is that third of a tensor three times as long

    /// The shape a file should have.
    std::vector<Index> shape(const Need& need) const {
        const Index times = third < 0 ? 1 : 3;
        Index p = 0;
        switch (form) {
            case Form::vector:
                return {times * need.columns};
            case Form::batched:
                return {1, times * need.rows, need.columns};
            case Form::patches:
                while (3 * p * p < need.columns) ++p;
                return {times * need.rows, 3, p, p};
            case Form::matrix:
            case Form::any:
            case Form::zeros:
                break;
        }
        return {times * need.rows, need.columns};
    }
    /// Whether a tensor of shape `found`, `size` elements in all, holds the parameter.
    bool fits(const Need& need, std::span<const Index> found, Index size) const {
        if (form == Form::zeros) return true;
        if (form != Form::any) return std::ranges::equal(found, shape(need));
        return size == need.rows * need.columns && (need.rows == 1 || (!found.empty() && found[0] == need.rows));
    }
    /// Elements of the tensor before the first of the parameter.
    Index offset(const Need& need) const { return third < 0 ? 0 : third * need.rows * need.columns; }
};

}  // namespace tessera::inline TESSERA_ISA
