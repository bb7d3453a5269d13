// Attention dropped into code that has its data in Eigen: no copies of activations, weights taken over once.
#include <cstdio>
#include <tessera/attention.hpp>
#include <tessera/core/eigen.hpp>

using namespace tessera;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Numbers that look random and are the same everywhere.
Matrix numbers(Index rows, Index columns, unsigned seed) {
    Matrix m(rows, columns);
    for (Index i = 0; i < m.size(); ++i)
        m.data()[i] = static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 8) * 0x1p-24f - 0.5f;
    return m;
}

template <Index In, Index Out>
void set(Linear<In, Out>& layer, const Matrix& weight) {
    layer.weight.assign({weight.data(), {Out, In}});
    layer.bias.fill(0);
}

int main() {
    const Matrix wq = numbers(64, 64, 1), wk = numbers(64, 64, 2), wv = numbers(64, 64, 3), wo = numbers(64, 64, 4);
    Attention<64, 4> attention;
    set(attention.query, wq);
    set(attention.key, wk);
    set(attention.value, wv);
    set(attention.output, wo);

    const Matrix x = numbers(10, 64, 5);
    Scratch s;
    const auto rows = from_eigen<64>(x);
    const Matrix y = to_eigen(attention(rows, rows, Causal{}, s));

    // The same in Eigen alone.
    const Matrix q = x * wq.transpose(), k = x * wk.transpose(), v = x * wv.transpose();
    Matrix mixed(10, 64);
    for (int h = 0; h < 4; ++h) {
        Matrix p = q.middleCols(16 * h, 16) * k.middleCols(16 * h, 16).transpose() / 4.0f;
        for (int i = 0; i < 10; ++i) {
            auto seen = p.row(i).head(i + 1);
            seen = (seen.array() - seen.maxCoeff()).exp();
            seen /= seen.sum();
            p.row(i).tail(9 - i).setZero();
        }
        mixed.middleCols(16 * h, 16) = p * v.middleCols(16 * h, 16);
    }
    const float gap = (mixed * wo.transpose() - y).cwiseAbs().maxCoeff();
    std::puts(gap < 1e-5f ? "tessera and Eigen agree" : "tessera and Eigen differ");
}
