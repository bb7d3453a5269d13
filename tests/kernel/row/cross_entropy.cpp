#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/row/cross_entropy.hpp>
#include <tessera/reference/loss.hpp>
#include <vector>

namespace kernel_row_cross_entropy {
using namespace tessera;

namespace {

using Matrix = Tensor<float, dyn, dyn>;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr double half_ulp = 0x1p-24;

struct Case {
    Index rows, size;
    Matrix x, dx, q;
    std::vector<float> losses;
    std::vector<Token> targets;

    Case(Index r, Index s, float spread)
        : rows(r), size(s), x({r, s}), dx({r, s}), q({r, s}), losses(std::size_t(r)), targets(std::size_t(r)) {
        std::mt19937 random(static_cast<unsigned>(s * 31 + r));
        std::normal_distribution<float> normal(2 * spread, spread);
        for (float& value : x.view()) value = normal(random);
        for (Index row = 0; row < r; ++row) {
            float sum = 0;
            for (Index i = 0; i < s; ++i) sum += q(row, i) = i % 3 == 1 ? 0.0f : std::abs(normal(random));
            for (Index i = 0; i < s; ++i) q(row, i) /= s == 0 || sum == 0 ? 1 : sum;
            targets[std::size_t(row)] = static_cast<Token>(row * 7 % std::max<Index>(s, 1));
        }
    }

    /// The worst loss and gradient, in units of what they may be off. x − top is rounded once, which moves eˣ by |x − top| half
    /// ulps; exp adds 3. Sums are chains of at most 64 floats, of terms of one sign, and doubles beyond.
    std::pair<double, double> worst(Index row, const std::vector<double>& target, double scale) const {
        std::vector<double> want(std::size_t(size), 0.0);
        const float* const logits = x.data() + row * size;
        const double loss = reference::cross_entropy(want.data(), logits, target.data(), size);
        double top = -INFINITY, mass = 0, moved = 0, total = 0;
        for (Index i = 0; i < size; ++i) top = std::max(top, double{logits[i]});
        for (Index i = 0; i < size; ++i) {
            if (logits[i] == -infinity) continue;
            const double distance = top - double{logits[i]};
            mass += target[std::size_t(i)], moved += target[std::size_t(i)] * distance;
            total += std::exp(-distance);
        }
        const double sums = 75;
        const double loss_allowed =
            half_ulp * ((sums + 30) * mass + sums * moved + std::abs(loss) + mass * std::log(total));
        double gradient = 0;
        for (Index i = 0; i < size; ++i) {
            const double p = want[std::size_t(i)] + target[std::size_t(i)];
            const double distance = logits[i] == -infinity ? 0 : std::min(120.0, top - double{logits[i]});
            const double allowed = half_ulp * (p * (distance + sums + 30) + 3 * target[std::size_t(i)]) + 1e-37;
            gradient = std::max(
                gradient, std::abs(double{dx(row, i)} - scale * want[std::size_t(i)]) / (std::abs(scale) * allowed));
        }
        return {std::abs(double{losses[std::size_t(row)]} - loss) / loss_allowed, gradient};
    }
};

TEST_CASE("losses and gradients of words equal the reference, smoothed or not, in place, and without a gradient") {
    for (const Index size : {1, 7, 33, 257, 768, 1408, 50272})
        for (const float spread : {0.1f, 3.0f, 40.0f})
            for (const float smoothing : {0.0f, 0.1f}) {
                Case c(size > 10000 ? 2 : 5, size, spread);
                if (size > 7 && smoothing == 0) c.x(0, 3) = -infinity;
                const float scale = 0.25f;
                kernel::cross_entropy(c.losses.data(), c.dx.data(), c.x.data(), c.targets.data(), c.rows, size,
                                      smoothing, scale);
                CAPTURE(size);
                CAPTURE(spread);
                CAPTURE(smoothing);
                for (Index row = 0; row < c.rows; ++row) {
                    std::vector<double> q(std::size_t(size), double{smoothing} / static_cast<double>(size));
                    q[std::size_t(c.targets[std::size_t(row)])] += 1 - double{smoothing};
                    const auto [loss, gradient] = c.worst(row, q, double{scale});
                    CHECK(loss <= 1);
                    CHECK(gradient <= 1);
                }
                Matrix in_place = c.x;
                std::vector<float> same(c.losses.size()), alone(c.losses.size());
                kernel::cross_entropy(same.data(), in_place.data(), in_place.data(), c.targets.data(), c.rows, size,
                                      smoothing, scale);
                kernel::cross_entropy(alone.data(), nullptr, c.x.data(), c.targets.data(), c.rows, size, smoothing,
                                      scale);
                CHECK(std::equal(in_place.data(), in_place.data() + in_place.size(), c.dx.data()));
                CHECK(same == c.losses);
                CHECK(alone == c.losses);
            }
}

TEST_CASE("losses and gradients of probabilities equal the reference") {
    for (const Index size : {1, 2, 7, 33, 257, 768, 1408})
        for (const float spread : {0.1f, 3.0f, 40.0f}) {
            Case c(5, size, spread);
            if (size > 2) c.x(0, 1) = -infinity;  // where q is 0
            kernel::cross_entropy(c.losses.data(), c.dx.data(), c.x.data(), c.q.data(), 5, size, -2.0f);
            CAPTURE(size);
            CAPTURE(spread);
            for (Index row = 0; row < 5; ++row) {
                const std::vector<double> q(c.q.data() + row * size, c.q.data() + (row + 1) * size);
                const auto [loss, gradient] = c.worst(row, q, -2.0);
                CHECK(loss <= 1);
                CHECK(gradient <= 1);
            }
            Matrix in_place = c.x;
            std::vector<float> same(5);
            kernel::cross_entropy(same.data(), in_place.data(), in_place.data(), c.q.data(), 5, size, -2.0f);
            CHECK(std::equal(in_place.data(), in_place.data() + in_place.size(), c.dx.data()));
            CHECK(same == c.losses);
        }
}

TEST_CASE("rows that are left out, −∞ and NaN") {
    Matrix x({5, 20}), dx({5, 20});
    for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 20) * 0.1f;
    x(0, 4) = NAN;        // in a row that counts
    x(1, 4) = NAN;        // in one that does not
    x(2, 5) = -infinity;  // the target
    for (Index i = 0; i < 20; ++i) x(3, i) = -infinity;
    const Token targets[] = {3, -100, 5, 2, 19};
    float losses[5];
    kernel::cross_entropy(losses, dx.data(), x.data(), targets, 5, 20, 0, 1);
    CHECK(std::isnan(losses[0]));
    CHECK(losses[1] == 0);
    CHECK(losses[2] == infinity);
    CHECK(losses[3] == infinity);
    CHECK(std::isfinite(losses[4]));
    for (Index i = 0; i < 20; ++i) {
        CHECK(std::isnan(dx(0, i)));
        CHECK(dx(1, i) == 0);
        CHECK(dx(3, i) == (i == 2 ? -1.0f : 0.0f));
    }
    CHECK(dx(2, 5) == -1);
    CHECK(dx(2, 6) > 0);
    kernel::cross_entropy(losses, nullptr, x.data(), targets, 0, 20, 0, 1);  // no rows: nothing is written
    CHECK(losses[2] == infinity);
}

TEST_CASE("the same bits at any number of threads") {
    Case one(300, 257, 3), two(300, 257, 3);
    const int usual = kernel::threads();
    for (Case* c : {&one, &two}) {
        kernel::set_threads(c == &one ? 1 : 2);
        kernel::cross_entropy(c->losses.data(), c->dx.data(), c->x.data(), c->targets.data(), 300, 257, 0.1f, 1);
    }
    kernel::set_threads(usual);
    CHECK(one.losses == two.losses);
    CHECK(std::equal(one.dx.data(), one.dx.data() + one.dx.size(), two.dx.data()));
}

}  // namespace

}  // namespace kernel_row_cross_entropy
