// -D NAME=…: the largest error of a layer that no other translation unit sees; with -D MAIN prints those of two.
#include <cmath>
#include <cstdio>
#include <tessera/nn/linear.hpp>
#include <vector>

double NAME() {
    constexpr std::size_t rows = 10, width = 64;
    std::vector<float> w(width * width), x(rows * width), y(rows * width);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::sin(static_cast<float>(i));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::cos(static_cast<float>(i));
    tessera::Linear<width, width> layer;
    layer.weight.assign({w.data(), {width, width}});
    layer.bias.fill(0);
    tessera::Scratch scratch;
    layer.into({y.data(), {rows, width}}, {x.data(), {rows, width}}, scratch);
    double worst = 0;
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t out = 0; out < width; ++out) {
            double want = 0;
            for (std::size_t in = 0; in < width; ++in)
                want += static_cast<double>(x[r * width + in]) * static_cast<double>(w[out * width + in]);
            worst = std::fmax(worst, std::fabs(static_cast<double>(y[r * width + out]) - want));
        }
    return worst;
}

#ifdef MAIN
double error_one();
double error_two();
int main() {
    const double one = error_one(), two = error_two();
    std::printf("errors %.1e %.1e\n", one, two);
    return one < 1e-4 && two < 1e-4 ? 0 : 1;
}
#endif
