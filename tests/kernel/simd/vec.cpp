// Every operation of kernel/simd/vec.hpp against scalars: what no back end may differ in.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string_view>
#include <tessera/kernel/simd/transpose.hpp>
#include <tessera/kernel/simd/vec.hpp>
#include <vector>

namespace kernel_simd_vec {
using namespace tessera;
using namespace tessera::kernel;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr auto lanes = static_cast<std::size_t>(width);
using Lanes = std::array<float, lanes>;

Lanes lanes_of(Vec a) {
    Lanes x;
    store(x.data(), a);
    return x;
}
std::array<bool, lanes> lanes_of(Mask m) {
    const Lanes x = lanes_of(select(m, broadcast(1.0f), broadcast(0.0f)));
    std::array<bool, lanes> truth;
    for (std::size_t i = 0; i < lanes; ++i) truth[i] = x[i] != 0.0f;
    return truth;
}

/// The same number, of the same sign if it is zero, or both NaN.
bool same(float a, float b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b && std::signbit(a) == std::signbit(b);
}

/// Numbers of all kinds, whole vectors of them.
std::vector<float> numbers() {
    std::vector<float> x = {0.0f,      -0.0f,     1.0f,   -1.0f,     0.5f,        -0.5f,   1.5f,   2.5f,
                            -2.5f,     3.14159f,  1e-40f, -1e-40f,   1e30f,       -1e30f,  nan,    infinity,
                            -infinity, 0x1p-126f, 127.0f, 0x1p-149f, 0x1.8p-127f, -126.5f, 1e-20f, 65504.0f,
                            123.456f,  -0.1f,     7.0f,   -8.0f,     1.00390625f, 3e38f};
    while (x.size() % lanes != 0) x.push_back(static_cast<float>(x.size()) * 0.37f);
    return x;
}

/// Calls f(a, b) until each number has been beside each other one.
template <class F>
void each_pair(const F& f) {
    const auto x = numbers();
    std::vector<float> shifted(x.size());
    for (std::size_t shift = 0; shift < x.size(); ++shift) {
        for (std::size_t i = 0; i < x.size(); ++i) shifted[i] = x[(i + shift) % x.size()];
        for (std::size_t i = 0; i < x.size(); i += lanes) f(load(x.data() + i), load(shifted.data() + i));
    }
}

template <class V, class S>
void check_pairs(std::string_view name, const V& vector, const S& scalar) {
    INFO(std::string(name));
    each_pair([&](Vec a, Vec b) {
        const Lanes got = lanes_of(vector(a, b)), x = lanes_of(a), y = lanes_of(b);
        for (std::size_t i = 0; i < lanes; ++i) {
            INFO(x[i] << " and " << y[i] << " give " << got[i] << ", not " << scalar(x[i], y[i]));
            CHECK(same(got[i], scalar(x[i], y[i])));
        }
    });
}

TEST_CASE("vec: arithmetic with numbers of all kinds is that of floats") {
    const auto add = [](auto a, auto b) { return a + b; };
    const auto subtract = [](auto a, auto b) { return a - b; };
    const auto multiply = [](auto a, auto b) { return a * b; };
    const auto divide = [](auto a, auto b) { return a / b; };
    check_pairs("+", add, add);
    check_pairs("-", subtract, subtract);
    check_pairs("*", multiply, multiply);
    check_pairs("/", divide, divide);
    check_pairs(
        "max", [](Vec a, Vec b) { return max(a, b); }, [](float a, float b) { return a > b ? a : b; });
    check_pairs(
        "min", [](Vec a, Vec b) { return min(a, b); }, [](float a, float b) { return a < b ? a : b; });
    check_pairs(
        "abs", [](Vec a, Vec) { return abs(a); }, [](float a, float) { return std::fabs(a); });
    check_pairs(
        "sqrt", [](Vec a, Vec) { return sqrt(a); }, [](float a, float) { return std::sqrt(a); });
    check_pairs(
        "copy_sign", [](Vec a, Vec b) { return copy_sign(a, b); },
        [](float a, float b) { return std::copysign(a, b); });
    check_pairs(
        "negative", [](Vec a, Vec) { return -a; }, [](float a, float) { return 0.0f - a; });
    check_pairs(
        "+=, -=, *=", [](Vec a, Vec b) { return a += b, a -= broadcast(1.0f), a *= b; },
        [](float a, float b) {
            a += b;
            a -= 1.0f;
            return a * b;
        });
    check_pairs(
        "<, select", [](Vec a, Vec b) { return select(a < b, a, broadcast(9.0f)); },
        [](float a, float b) { return a < b ? a : 9.0f; });
    check_pairs(
        "broadcast", [](Vec, Vec) { return broadcast(-0.0f); }, [](float, float) { return -0.0f; });
}

TEST_CASE("vec: fma and multiply_add round once where the processor can, else the product and the sum") {
    each_pair([](Vec a, Vec b) {
        const Vec c = broadcast(0.3f);
        Vec sum = c;
        multiply_add(sum, a, b);
        const Lanes got = lanes_of(fma(a, b, c)), in_place = lanes_of(sum), x = lanes_of(a), y = lanes_of(b);
        for (std::size_t i = 0; i < lanes; ++i) {
#if defined(__FMA__) || defined(__aarch64__) || defined(__AVX512F__)
            CHECK(same(got[i], std::fma(x[i], y[i], 0.3f)));
#else
            const volatile float product = x[i] * y[i];
            CHECK(same(got[i], product + 0.3f));
#endif
            CHECK(same(in_place[i], got[i]));
        }
    });
}

TEST_CASE("vec: rounding, fractions and powers of two") {
    for (float x = -200.0f; x < 200.0f; x += 0.375f) {
        const Vec v = broadcast(x);
        CHECK(lanes_of(round(v))[0] == std::nearbyint(x));
        if (std::fabs(x) <= 160.0f) CHECK(lanes_of(fraction(v))[0] == x - std::floor(x));
        for (const float a : {1.0f, -1.9375f, 0x1.8p-1f})
            CHECK(same(lanes_of(scale_by_power(broadcast(a), v))[0], std::ldexp(a, static_cast<int>(std::floor(x)))));
    }
    CHECK(lanes_of(round(broadcast(4194302.5f)))[0] == 4194302.0f);
    CHECK(lanes_of(fraction(broadcast(infinity)))[0] == 0.0f);
    CHECK(lanes_of(fraction(broadcast(-infinity)))[0] == 0.0f);
    CHECK(lanes_of(scale_by_power(broadcast(1.5f), broadcast(infinity)))[0] == infinity);
    CHECK(lanes_of(scale_by_power(broadcast(1.5f), broadcast(-infinity)))[0] == 0.0f);
    CHECK(std::isnan(lanes_of(scale_by_power(broadcast(nan), broadcast(1.0f)))[0]));
}

TEST_CASE("vec: loads and stores of a few lanes leave the others alone, at any address") {
    std::vector<float> x(3 * lanes), y(3 * lanes);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) + 1.0f;
    for (std::size_t at = 0; at < lanes; ++at)
        for (std::size_t count = 0; count <= lanes; ++count) {
            const Lanes got = lanes_of(load(x.data() + at, static_cast<Index>(count)));
            for (std::size_t i = 0; i < lanes; ++i) CHECK(got[i] == (i < count ? x[at + i] : 0.0f));
            y.assign(y.size(), -7.0f);
            store(y.data() + at, load(x.data()), static_cast<Index>(count));
            for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == (i >= at && i < at + count ? x[i - at] : -7.0f));
        }
}

TEST_CASE("vec: masks by count, by bits, both, any") {
    for (std::size_t count = 0; count <= lanes; ++count) {
        const Mask mask = first(static_cast<Index>(count));
        for (std::size_t i = 0; i < lanes; ++i) CHECK(lanes_of(mask)[i] == (i < count));
        CHECK(any(mask) == (count > 0));
    }
    for (const std::uint32_t bits : {0u, 1u, 0x80000000u, 0xdeadbeefu, 0xffffffffu, 0x00010000u, 0x12345678u}) {
        const auto low = lanes_of(mask_of(bits)), high = lanes_of(mask_of<static_cast<unsigned>(lanes)>(bits));
        const auto both = lanes_of(mask_of(bits) & first(width / 2));
        for (std::size_t i = 0; i < lanes; ++i) {
            CHECK(low[i] == ((bits >> i & 1u) != 0));
            CHECK(high[i] == ((bits >> (i + lanes) & 1u) != 0));
            CHECK(both[i] == (low[i] && i < lanes / 2));
        }
        CHECK(any(mask_of(bits)) == ((bits & ((1u << lanes) - 1u)) != 0));
    }
    CHECK(!any(broadcast(nan) < broadcast(1.0f)));
    CHECK(!any(broadcast(1.0f) < broadcast(nan)));
}

TEST_CASE("vec: sums and maxima fold the halves onto each other") {
    Lanes x;
    for (std::size_t i = 0; i < lanes; ++i)
        x[i] = std::ldexp(1.0f + 0.1f * static_cast<float>(i), static_cast<int>(5 * i % 23));
    Lanes sum = x, top = x;
    for (std::size_t half = lanes / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) sum[i] += sum[i + half], top[i] = std::fmax(top[i], top[i + half]);
    CHECK(reduce_add(load(x.data())) == sum[0]);
    CHECK(reduce_max(load(x.data())) == top[0]);
    CHECK(reduce_max(broadcast(-infinity)) == -infinity);
}

TEST_CASE("vec: bf16 to floats and back, alone and in pairs") {
    std::array<bf16, 2 * lanes + 1> from, to;
    const auto x = numbers();
    for (std::size_t start = 0; start < x.size(); ++start) {
        for (std::size_t i = 0; i < from.size(); ++i) from[i] = to_bf16(x[(start + i) % x.size()]);
        const bf16* const p = from.data() + start % 2;
        const Pair pair = load_pairs(p);
        const Lanes whole = lanes_of(load(p)), even = lanes_of(pair.even), odd = lanes_of(pair.odd);
        Lanes a, b;
        for (std::size_t i = 0; i < lanes; ++i) {
            CHECK(same(whole[i], to_float(p[i])));
            CHECK(same(even[i], to_float(p[2 * i])));
            CHECK(same(odd[i], to_float(p[2 * i + 1])));
            CHECK(same(lanes_of(load_even(p))[i], even[i]));
            CHECK(same(lanes_of(load_odd(p))[i], odd[i]));
            a[i] = x[(start + i) % x.size()] * 1.0001f;
            b[i] = x[(start + 3 * i + 1) % x.size()] * 0.9999f;
        }
        store(to.data(), load(a.data()));
        for (std::size_t i = 0; i < lanes; ++i) CHECK(to[i] == to_bf16(a[i]));
        store_pairs(to.data(), {load(a.data()), load(b.data())});
        for (std::size_t i = 0; i < lanes; ++i) {
            CHECK(to[2 * i] == to_bf16(a[i]));
            CHECK(to[2 * i + 1] == to_bf16(b[i]));
        }
    }
}

TEST_CASE("vec: bf16 of two vectors in turn, whatever floats they are together") {
    std::array<bf16, 2 * lanes> a, b, low, high;
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] = bf16{static_cast<std::uint16_t>(0x7f80 + i)};  // NaN among them
        b[i] = bf16{static_cast<std::uint16_t>(0xff80 + i)};
    }
    const Vec x = load(reinterpret_cast<const float*>(a.data())), y = load(reinterpret_cast<const float*>(b.data()));
    store(reinterpret_cast<float*>(low.data()), zip_low(x, y));
    store(reinterpret_cast<float*>(high.data()), zip_high(x, y));
    for (std::size_t i = 0; i < lanes; ++i) {
        const std::size_t from = i / 4 * 8 + i % 4;
        CHECK(low[2 * i].bits == a[from].bits);
        CHECK(low[2 * i + 1].bits == b[from].bits);
        CHECK(high[2 * i].bits == a[from + 4].bits);
        CHECK(high[2 * i + 1].bits == b[from + 4].bits);
    }
}

TEST_CASE("vec: f16 to floats and back, every one of them") {
    std::array<f16, lanes + 1> from, to;
    for (std::uint32_t bits = 0; bits < 0x10000; bits += static_cast<std::uint32_t>(lanes)) {
        for (std::size_t i = 0; i < from.size(); ++i) from[i] = f16{static_cast<std::uint16_t>(bits + i)};
        for (const std::size_t shift : {std::size_t{0}, std::size_t{1}}) {
            const Lanes whole = lanes_of(load(from.data() + shift));
            store(to.data() + shift, load(whole.data()));
            bool right = true;
            for (std::size_t i = 0; i < lanes; ++i) {
                const f16 x = from[i + shift];
                right = right && same(whole[i], to_float(x)) &&
                        (std::isnan(to_float(x)) ? std::isnan(to_float(to[i + shift])) : to[i + shift] == x);
            }
            CHECK(right);
        }
    }
    const auto x = numbers();
    for (std::size_t start = 0; start + lanes <= x.size(); ++start) {
        store(to.data(), load(x.data() + start));
        for (std::size_t i = 0; i < lanes; ++i) CHECK(same(to_float(to[i]), to_float(to_f16(x[start + i]))));
    }
}

TEST_CASE("vec: quarters of int8, and four vectors together") {
    std::array<std::int8_t, 4 * lanes + 4> from{}, to{};  // three more before the first
    for (int start = -128; start < 128; ++start)
        for (const std::size_t shift : {std::size_t{3}, std::size_t{4}}) {
            for (std::size_t i = 0; i < from.size(); ++i)
                from[i] = static_cast<std::int8_t>((start + 3 * static_cast<int>(i)) % 128);
            const std::int8_t* const p = from.data() + shift;
            const Vec unit = broadcast(quarter_unit);
            const Vec a = unit * load_quarter<0>(p), b = unit * load_quarter<1>(p), c = unit * load_quarter<2>(p),
                      d = unit * load_quarter<3>(p);
            const Lanes quarters[] = {lanes_of(a), lanes_of(b), lanes_of(c), lanes_of(d)};
            store_quarters(to.data() + shift, a, b, c, d);
            bool right = true;
            for (std::size_t i = 0; i < 4 * lanes; ++i)
                right = right && quarters[i % 4][i / 4] == static_cast<float>(p[i]) && to[i + shift] == p[i];
            CHECK(right);
        }
}

TEST_CASE("vec: dot products of pairs of bf16") {
    std::array<bf16, 2 * lanes> a;
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = to_bf16(0.25f * static_cast<float>(i) - 3.0f);
    const bf16 b[2] = {to_bf16(1.5f), to_bf16(-0.75f)};
    const Vec two = broadcast(2.0f);
    Vec sum = two;
    multiply_add(sum, load_halves(a.data()), broadcast_pair(b));
    const Lanes got = lanes_of(dot(load_halves(a.data()), broadcast_pair(b), two));
    for (std::size_t i = 0; i < lanes; ++i) {  // all exact
        CHECK(got[i] == 2.0f + 1.5f * to_float(a[2 * i]) - 0.75f * to_float(a[2 * i + 1]));
        CHECK(lanes_of(sum)[i] == got[i]);
    }
}

TEST_CASE("vec: digits of whole numbers, and dot products of fours of them") {
    if constexpr (has_quad_dot) {
        std::array<std::int8_t, lanes> high, middle, low;
        for (const int first :
             {0, 1, -1, 127, 128, -128, 255, 32639, 32640, -32640, 65536, 8355000, 8355711, -8355711}) {
            Lanes whole;
            for (std::size_t i = 0; i < lanes; ++i)
                whole[i] = static_cast<float>(first < 0 ? first + static_cast<int>(i) : first - static_cast<int>(i));
            store_digits(high.data(), middle.data(), low.data(), load(whole.data()));
            for (std::size_t i = 0; i < lanes; ++i)
                CHECK(65536 * high[i] + 256 * middle[i] + low[i] == static_cast<int>(whole[i]));
        }
        Lanes parts;
        for (std::size_t i = 0; i < lanes; ++i)
            parts[i] = 0.49f * static_cast<float>(i) - 127.5f * static_cast<float>(i % 5);
        store_digits(high.data(), middle.data(), low.data(), load(parts.data()));
        for (std::size_t i = 0; i < lanes; ++i)
            CHECK(65536 * high[i] + 256 * middle[i] + low[i] == static_cast<int>(std::nearbyint(parts[i])));
        std::array<std::int8_t, 4 * lanes> a;
        const std::int8_t b[4] = {-128, 127, 3, -1};
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            a[i] = static_cast<std::int8_t>(i * 37 % 256);
            sum += a[i];
        }
        CHECK(sum_of(a.data(), static_cast<Index>(a.size())) == sum);
        Whole total = broadcast_whole(-100000);
        multiply_add(total, load_raised(a.data()), broadcast_quad(b));
        const Lanes got = lanes_of(to_vec(total));
        const Lanes also = lanes_of(to_vec(dot(load_raised(a.data()), broadcast_quad(b), broadcast_whole(-100000))));
        for (std::size_t i = 0; i < lanes; ++i) {
            int expected = -100000;
            for (std::size_t j = 0; j < 4; ++j) expected += (a[4 * i + j] + 128) * b[j];
            CHECK(got[i] == static_cast<float>(expected));
            CHECK(also[i] == got[i]);
        }
    }
}

TEST_CASE("vec: a block of whole vectors, and any matrix, are transposed") {
    for (const Index rows : {Index{1}, width - 1, width, 2 * width + 3})
        for (const Index columns : {Index{1}, width, width + 2}) {
            std::vector<float> x(static_cast<std::size_t>(rows * columns)), y(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
            transpose(y.data(), rows, rows, columns,
                      [&](Index r, Index c, Index count) { return load(x.data() + r * columns + c, count); });
            for (Index r = 0; r < rows; ++r)
                for (Index c = 0; c < columns; ++c)
                    CHECK(y[static_cast<std::size_t>(c * rows + r)] == x[static_cast<std::size_t>(r * columns + c)]);
        }
}

}  // namespace
}  // namespace kernel_simd_vec
