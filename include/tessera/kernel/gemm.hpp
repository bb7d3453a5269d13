// The matrix product of every linear layer: activations times packed weights, with what follows it in the same pass.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/core/activation.hpp>
#include <tessera/kernel/activation.hpp>
#include <tessera/kernel/microkernel.hpp>
#include <tessera/kernel/panels.hpp>
#include <tessera/kernel/parallel.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// What happens to a row after its product: + bias, activation, + residual; each may be left out.
struct Epilogue {
    const float* bias = nullptr;  // [N]
    Activation activation = Activation::none;
    const float* residual = nullptr;  // [rows, N], may be the output itself
    Index residual_stride = 0;
};

/// Detail: one call of gemm, cut into chunks of rows × vectors of columns.
class Product {
  public:
    Product(float* y, Index y_stride, const float* x, Index x_stride, Index rows, const Panels& weight,
            const Epilogue& epilogue)
        : y_(y), y_stride_(y_stride), x_(x), x_stride_(x_stride), rows_(rows), weight_(weight), epilogue_(epilogue) {}

    void run() const {
        const Index columns = (weight_.out() + width - 1) / width;
        const Index chunks = (rows_ + chunk_rows - 1) / chunk_rows;
        parallel_ranges(chunks * columns, [&](Index begin, Index end) {
            while (begin < end) {
                const Index chunk = begin / columns;
                const Index first = begin % columns;
                const Index last = std::min(columns, first + end - begin);
                const Index row = rows_ * chunk / chunks;
                block(row, rows_ * (chunk + 1) / chunks - row, first, last);
                begin += last - first;
            }
        });
    }

  private:
    static constexpr Index chunk_rows = 384;  // rows whose sums of one panel stay in the second-level cache
    static constexpr Index near = 2048;       // elements by which a lone strip asks ahead
    static constexpr Index most_inputs =
        1536;  // inputs of one pass: half of a second-level cache of 1 MB holds the panel

    /// Rows [row, row + rows) × vectors [first, last) of the columns.
    void block(Index row, Index rows, Index first, Index last) const {
        while (first < last) {
            const Index next = std::min(last, (first / Panels::vectors + 1) * Panels::vectors);
            if (weight_.stored() == Stored::f32)
                panel<float>(row, rows, first * width, next - first);
            else
                panel<bf16>(row, rows, first * width, next - first);
            first = next;
        }
    }

    /// Rows × up to a panel of columns from `column` on. The sums of all inputs are taken in one order, whatever is cut
    /// where: a pass over inputs goes on from the sums that the one before has left.
    template <class T>
    void panel(Index row, Index rows, Index column, Index vectors) const {
        alignas(alignment) float sums[chunk_rows * Panels::panel_width];
        const Index inputs = weight_.in();
        const Index strips = (rows + strip_rows - 1) / strip_rows;
        const Index passes = strips == 1 ? 1 : std::max<Index>(1, (inputs + most_inputs - 1) / most_inputs);
        const Index stride = weight_.width_of(column / Panels::panel_width);
        const T* w = weight_.at<T>(column);
        for (Index pass = 0; pass < passes; ++pass) {
            const Index begin = inputs * pass / passes / 2 * 2;
            const Index end = pass + 1 == passes ? inputs : inputs * (pass + 1) / passes / 2 * 2;
            for (Index strip = 0; strip < strips; ++strip) {
                const Index top = rows * strip / strips;
                const Index height = rows * (strip + 1) / strips - top;
                float* sum = sums + top * Panels::panel_width;
                // The last strip brings in what is read next, so that it is there when the first strip comes round again.
                const Index next = pass + 1 == passes ? inputs : end;
                const Index ahead = strips == 1 ? near : strip + 1 == strips ? (next - begin) * stride : 0;
                multiply(height, vectors, sum, x_ + (row + top) * x_stride_ + begin, x_stride_, w + begin * stride,
                         stride, end - begin, pass > 0, ahead);
                if (pass + 1 == passes) finish(sum, row + top, height, column, vectors);
            }
        }
    }

    /// Sums to outputs.
    void finish(const float* sums, Index row, Index rows, Index column, Index vectors) const {
        const Index count = std::min(vectors * width, weight_.out() - column);
        with_activation(epilogue_.activation, [&](auto activation) {
            for (Index r = 0; r < rows; ++r) {
                const float* sum = sums + r * Panels::panel_width;
                const float* residual = epilogue_.residual == nullptr
                                            ? nullptr
                                            : epilogue_.residual + (row + r) * epilogue_.residual_stride + column;
                const float* bias = epilogue_.bias == nullptr ? nullptr : epilogue_.bias + column;
                float* y = y_ + (row + r) * y_stride_ + column;
                for_each_vec(count, [&](Index i, Index lanes) {
                    Vec value = load(sum + i);
                    if (bias != nullptr) value += load(bias + i, lanes);
                    value = activation(value);
                    if (residual != nullptr) value += load(residual + i, lanes);
                    store(y + i, value, lanes);
                });
            }
        });
    }

    float* y_;
    Index y_stride_;
    const float* x_;
    Index x_stride_;
    Index rows_;
    const Panels& weight_;
    const Epilogue& epilogue_;
};

/// y[r, :N] = activation(x[r, :K]·Wᵀ + bias) + residual[r, :N] for every row r, in float; bf16 weights count exactly.
/// shape   x [rows, K] and y [rows, N], strides in elements; rows may be 0
/// errors  none; the same bits at any number of threads, and for a row whatever rows are beside it
/// cost    2·rows·N·K flops; allocates nothing, about 75 KB of stack
inline void gemm(float* y, Index y_stride, const float* x, Index x_stride, Index rows, const Panels& weight,
                 const Epilogue& epilogue = {}) noexcept {
    Product(y, y_stride, x, x_stride, rows, weight, epilogue).run();
}

}  // namespace tessera::kernel::inline TESSERA_ISA
