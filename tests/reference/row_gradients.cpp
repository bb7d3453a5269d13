// The gradients of what is done row by row, against PyTorch in float64.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <initializer_list>
#include <tessera/core/tensor.hpp>
#include <tessera/reference/adamw.hpp>
#include <tessera/reference/linear.hpp>
#include <tessera/reference/loss.hpp>
#include <tessera/reference/norm_gradients.hpp>
#include <tessera/reference/normalize.hpp>

namespace reference_row_gradients {
using namespace tessera;

namespace {

/// Both sides compute in double, from the same floats.
void check_equal(const double* got, std::initializer_list<double> want) {
    for (const double number : want) CHECK(std::abs(*got++ - number) < 1e-9);
}

/// The numbers that PyTorch was given: [2, 4] each, gain [4].
struct Input {
    Tensor<float, dyn, dyn> x{{2, 4}}, dy{{2, 4}};
    std::array<float, 4> gain{1, 1.25f, 1.5f, 1.75f};
    Input() {
        for (Index i = 0; i < 8; ++i) {
            x.data()[i] = static_cast<float>(std::sin(1 + 0.7 * static_cast<double>(i)));
            dy.data()[i] = static_cast<float>(std::cos(2 * static_cast<double>(i)));
        }
    }
};

TEST_CASE("norms") {
    const Input in;
    Tensor<double, dyn, dyn> dx({2, 4});
    std::array<double, 4> d_gain{}, d_bias{};
    reference::norm_gradients(dx, d_gain.data(), d_bias.data(), in.dy, in.x, in.gain.data(), 1e-5, true);
    check_equal(dx.data(), {3.045409157927595, -0.3484528258470352, -3.321039309534833, 0.6240829774542718,
                            -1.1825165377751627, -4.118015528848157, 5.430326229668053, -0.12979416304473212});
    check_equal(d_gain.data(), {0.5022862977362319, 0.5347074397033281, -0.6806323038586698, -1.3864903138566576});
    check_equal(d_bias.data(), {0.8544999659061432, -1.255218356847763, 0.19021034240722656, 1.0969074815511703});
    d_gain = {};
    reference::norm_gradients(dx, d_gain.data(), d_bias.data(), in.dy, in.x, in.gain.data(), 1e-6, false);
    check_equal(dx.data(), {1.506631784228693, -0.5417142427797783, -1.2231494233596019, 2.299237499364012,
                            -0.22786113349911238, -1.452498392364206, 1.6387221832606294, 0.298341708122974});
    check_equal(d_gain.data(), {1.266596878702993, 0.5306116822615563, -1.5962552925245406, -0.01369706646847546});
}

TEST_CASE("activations") {
    const auto check = [](Activation what, std::initializer_list<double> want) {
        const double at[] = {-3, -1, -0.25, 0, 0.5, 2};
        for (std::size_t i = 0; const double number : want)
            CHECK(std::abs(reference::activation_derivative(at[i++], what) - number) < 1e-12);
    };
    check(Activation::none, {1, 1, 1, 1, 1, 1});
    check(Activation::relu, {0, 0, 0, 0, 1, 1});
    check(Activation::gelu,
          {-0.01194564720418392, -0.08331547058768635, 0.304626645116364, 0.5, 0.8674951246561629, 1.085231801078197});
    check(Activation::gelu_tanh, {-0.011584166630969648, -0.08296408384578252, 0.30464590484893955, 0.5,
                                  0.8673699035346424, 1.0860992566236183});
    check(Activation::quick_gelu, {-0.024548323905652352, -0.06777960655633403, 0.2934995590257331, 0.5,
                                   0.8792219119654143, 1.0738153543085418});
}

TEST_CASE("cross entropy") {
    const Input in;
    std::array<double, 4> gradient;
    const auto check = [&](Index row, std::array<double, 4> q, double loss, std::array<double, 4> want) {
        const double found = reference::cross_entropy(gradient.data(), in.x.data() + 4 * row, q.data(), 4);
        CHECK(std::abs(found - loss) < 1e-9);
        check_equal(gradient.data(), {2 * want[0], 2 * want[1], 2 * want[2], 2 * want[3]});  // of half the loss
    };
    check(0, {0, 0, 1, 0}, 1.4068362013054858,
          {0.14457228928165297, 0.16800160356226573, -0.3775415367327055, 0.06496764388878687});
    check(0, {0.025, 0.025, 0.925, 0.025}, 1.4106280301315557,
          {0.13207228928165296, 0.15550160356226572, -0.34004153673270554, 0.05246764388878687});
    check(0, {0.1, 0.2, 0.3, 0.4}, 1.5805481151295675,
          {0.09457228928165297, 0.06800160356226573, -0.027541536732705527, -0.13503235611121314});
    check(1, {0.5, 0, 0.5, 0}, 1.4507516930996713,
          {-0.1157565691464017, 0.09312871507082808, -0.1476848239292693, 0.17031267800484284});
}

TEST_CASE("rows of length 1") {
    const Input in;
    Tensor<double, dyn, dyn> y({2, 4}), dx({2, 4});
    reference::normalize_rows(y, dx, in.x, in.dy);
    check_equal(y.data(), {0.5739515814237306, 0.6763960075189898, 0.4607207990707753, 0.0283613909594696,
                           -0.4078861224291691, -0.6516561717206346, -0.5889421533977985, -0.24923941289304066});
    check_equal(dx.data(), {0.6748169101731581, -0.2924069460881882, -0.451669293218979, 0.6545551963096936,
                            -0.07658251517437145, -0.5267421576836615, 0.592016942125195, 0.10362723165393099});
}

TEST_CASE("three steps of AdamW") {
    std::array<double, 4> w, m{}, v{}, g;
    for (std::size_t i = 0; i < 4; ++i) w[i] = double{static_cast<float>(std::sin(1 + 0.7 * static_cast<double>(i)))};
    for (int step = 1; step <= 3; ++step) {
        for (std::size_t i = 0; i < 4; ++i)
            g[i] = double{static_cast<float>(std::cos(2 * static_cast<double>(i + 4 * (std::size_t(step) - 1))))};
        for (std::size_t i = 0; i < 4; ++i)
            reference::adamw(w[i], m[i], v[i], g[i], step,
                             {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = 0.05});
    }
    check_equal(w.data(), {0.825942478550251, 1.0122151135285202, 0.6790901145042147, 0.024303864874027404});
    check_equal(m.data(), {-0.027860951364040376, -0.04319265994429588, 0.06380993008613585, -0.00991594305634498});
    check_equal(v.data(), {0.001936261774956818, 0.0013121871265291626, 0.0013043042681996314, 0.0019386840627892558});
}

}  // namespace

}  // namespace reference_row_gradients
