#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tessera/checkpoint/convert.hpp>
#include <vector>

namespace checkpoint_convert {
using namespace tessera;

TEST_CASE_TEMPLATE("all 65536 numbers of 16 bits, at an odd address, become the floats that core/dtype gives", T, f16,
                   bf16) {
    constexpr Index count = 65536;
    std::vector<unsigned char> bytes(count * 2 + 1);
    for (Index i = 0; i < count; ++i) {
        bytes[static_cast<std::size_t>(2 * i + 1)] = static_cast<unsigned char>(i & 255);
        bytes[static_cast<std::size_t>(2 * i + 2)] = static_cast<unsigned char>(i >> 8);
    }
    std::vector<float> out(count);
    to_floats(std::is_same_v<T, f16> ? DType::f16 : DType::bf16, bytes.data() + 1, count, out.data());
    for (Index i = 0; i < count; ++i) {
        const float expected = to_float(T{static_cast<std::uint16_t>(i)});
        const float found = out[static_cast<std::size_t>(i)];
        if (std::isnan(expected))
            REQUIRE(std::isnan(found));
        else
            REQUIRE(std::bit_cast<std::uint32_t>(found) == std::bit_cast<std::uint32_t>(expected));
    }
}

TEST_CASE("float and double, at any count") {
    for (const Index count : {0, 1, 255, 256, 257, 1000}) {
        std::vector<double> doubles;
        std::vector<float> floats;
        for (Index i = 0; i < count; ++i) {
            doubles.push_back(std::sin(static_cast<double>(i)));
            floats.push_back(static_cast<float>(doubles.back()));
        }
        std::vector<float> out(static_cast<std::size_t>(count));
        to_floats(DType::f64, reinterpret_cast<const unsigned char*>(doubles.data()), count, out.data());
        CHECK(out == floats);
        out.assign(out.size(), 7.0f);
        to_floats(DType::f32, reinterpret_cast<const unsigned char*>(floats.data()), count, out.data());
        CHECK(out == floats);
    }
}

TEST_CASE("the first number that is not finite is found wherever it is") {
    std::vector<float> x(1000, 1.0f);
    CHECK(first_not_finite(x.data(), 1000) == 1000);
    for (const Index at : {0, 255, 256, 511, 700, 999}) {
        for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity()}) {
            auto y = x;
            y[static_cast<std::size_t>(at)] = bad;
            CHECK(first_not_finite(y.data(), 1000) == at);
            std::vector<bf16> halves(y.size());
            std::ranges::transform(y, halves.begin(), [](float value) { return to_bf16(value); });
            CHECK(first_not_finite(halves.data(), 1000) == at);
            CHECK(first_not_finite(halves.data(), at) == at);
        }
    }
    x[300] = std::numeric_limits<float>::max();  // rounds to infinity in bf16
    CHECK(first_not_finite(x.data(), 1000) == 1000);
    CHECK(first_not_finite(x.data(), 1000, DType::bf16) == 300);
    x[300] = std::bit_cast<float>(0x7f7f7fffu);  // the largest that does not
    CHECK(to_float(to_bf16(x[300])) < std::numeric_limits<float>::infinity());
    CHECK(first_not_finite(x.data(), 1000, DType::bf16) == 1000);
}

}  // namespace checkpoint_convert
