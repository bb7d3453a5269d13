#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <tessera/kernel/matmul/pack.hpp>
#include <vector>

#include "support/stored.hpp"

namespace kernel_matmul_pack {
using namespace tessera;

TEST_CASE("weights given input by input are the weights given output by output") {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (const DType stored : {DType::f32, DType::bf16, DType::f16})
        for (const Index out : {1, 7, 33, 100})
            for (const Index in : {1, 2, 7, 33}) {
                CAPTURE(out);
                CAPTURE(in);
                std::vector<float> weight(static_cast<std::size_t>(out * in)), turned(weight.size());
                for (float& w : weight) w = to_float(to_f16(to_float(to_bf16(normal(random)))));
                for (Index o = 0; o < out; ++o)
                    for (Index k = 0; k < in; ++k)
                        turned[static_cast<std::size_t>(k * out + o)] = weight[static_cast<std::size_t>(o * in + k)];
                kernel::PackedB panels(out, in, stored);
                for (Index k = 0; k < in; k += 3)  // a few inputs at a time
                    panels.write_inputs(k, turned.data() + k * out, std::min<Index>(3, in - k));
                std::vector<float> row(static_cast<std::size_t>(in)), column(static_cast<std::size_t>(out));
                for (Index o = 0; o < out; ++o) {
                    panels.read(o, row.data());
                    CHECK(std::equal(row.begin(), row.end(), weight.begin() + o * in));
                }
                for (Index k = 0; k < in; ++k) {
                    panels.read_input(k, column.data());
                    CHECK(std::equal(column.begin(), column.end(), turned.begin() + k * out));
                }
            }
}

namespace {

/// Numbers among which every case of rounding to bf16 occurs.
std::vector<float> awkward(Index count) {
    std::mt19937 random(7);
    std::vector<float> numbers(static_cast<std::size_t>(count));
    const float special[] = {0.0f,
                             -0.0f,
                             std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN(),
                             std::bit_cast<float>(0x7f800001u),
                             std::bit_cast<float>(0xff80ffffu),
                             0x1.01p0f,
                             0x1.03p0f,
                             std::numeric_limits<float>::max(),
                             std::numeric_limits<float>::denorm_min(),
                             1e-39f};
    for (float& x : numbers)
        x = random() % 8 == 0 ? special[random() % std::size(special)]
                              : std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    return numbers;
}

bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

}  // namespace

TEST_CASE("panels keep what is written, from rows of either type, in any pieces") {
    for (const Index out : {1, 31, 49, 200})
        for (const Index in : {1, 2, 15, 16, 33, 129, 700}) {
            CAPTURE(out);
            CAPTURE(in);
            const std::vector<float> numbers = awkward(out * in);
            std::vector<bf16> halves(numbers.size());
            std::transform(numbers.begin(), numbers.end(), halves.begin(), [](float x) { return to_bf16(x); });
            for (const DType stored : {DType::f32, DType::bf16}) {
                kernel::PackedB whole(out, in, stored), pieces(out, in, stored), from_halves(out, in, stored);
                whole.write(0, numbers.data(), out);
                for (Index first = 0, count = 1; first < out; first += count, count = count * 3 % 40) {
                    count = std::min(count, out - first);
                    pieces.write(first, numbers.data() + first * in, count);
                }
                from_halves.write(0, halves.data(), out);
                std::vector<float> row(static_cast<std::size_t>(in));
                int wrong = 0;
                for (Index o = 0; o < out; ++o) {
                    const auto expect = [&](const kernel::PackedB& panels, bool rounded) {
                        panels.read(o, row.data());
                        for (Index k = 0; k < in; ++k) {
                            const auto i = static_cast<std::size_t>(o * in + k);
                            const float expected = rounded ? to_float(halves[i]) : numbers[i];
                            wrong += !same_bits(row[static_cast<std::size_t>(k)], expected);
                        }
                    };
                    expect(whole, stored == DType::bf16);
                    expect(pieces, stored == DType::bf16);
                    expect(from_halves, true);
                }
                CHECK(wrong == 0);
            }
        }
}

TEST_CASE("f16 and i8 panels keep what the plain loops round to, in any pieces") {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    for (const DType stored : {DType::f16, DType::i8})
        for (const Index out : {1, 7, 33, 100, 257})
            for (const Index in : {1, 2, 3, 7, 33, 64, 257}) {
                CAPTURE(out);
                CAPTURE(in);
                std::vector<float> numbers(static_cast<std::size_t>(out * in));
                for (float& x : numbers) x = normal(random) * std::ldexp(1.0f, static_cast<int>(random() % 20) - 16);
                std::fill_n(numbers.begin(), in, 0.0f);                           // a row of zeros,
                if (out > 2) std::fill_n(numbers.begin() + in, in, 0x1p-149f);    // one that has no scale,
                if (out > 3) numbers[static_cast<std::size_t>(2 * in)] = 127.0f;  // and one with ties
                for (Index k = 1; out > 3 && k < in; ++k)
                    numbers[static_cast<std::size_t>(2 * in + k)] = static_cast<float>(k % 100) - 50.5f;
                std::vector<bf16> halves(numbers.size());
                std::transform(numbers.begin(), numbers.end(), halves.begin(), [](float x) { return to_bf16(x); });
                auto expected = numbers, from_halves = numbers;
                std::transform(halves.begin(), halves.end(), from_halves.begin(), [](bf16 x) { return to_float(x); });
                test::round_as(stored, expected.data(), out, in);
                test::round_as(stored, from_halves.data(), out, in);
                kernel::PackedB whole(out, in, stored), pieces(out, in, stored), narrow(out, in, stored);
                whole.write(0, numbers.data(), out);
                for (Index first = 0, count = 1; first < out; first += count, count = count * 3 % 40) {
                    count = std::min(count, out - first);
                    pieces.write(first, numbers.data() + first * in, count);
                }
                narrow.write(0, halves.data(), out);
                CHECK(whole.dtype() == stored);
                int wrong = 0;
                std::vector<float> row(static_cast<std::size_t>(in));
                const auto expect = [&](const kernel::PackedB& panels, const std::vector<float>& rows) {
                    for (Index o = 0; o < out; ++o) {
                        panels.read(o, row.data());
                        for (Index k = 0; k < in; ++k)
                            wrong += row[static_cast<std::size_t>(k)] != rows[static_cast<std::size_t>(o * in + k)];
                    }
                };
                expect(whole, expected);
                expect(pieces, expected);
                expect(narrow, from_halves);
                CHECK(wrong == 0);
            }
}

TEST_CASE("panels take as much memory as they say") {
    using kernel::panel_width, kernel::width;
    const Index columns = (100 + width - 1) / width * width,
                whole = (100 + panel_width - 1) / panel_width * panel_width;
    CHECK(kernel::PackedB(100, 33, DType::f32).bytes() == 4 * columns * 33);
    CHECK(kernel::PackedB(100, 33, DType::bf16).bytes() == 2 * columns * 34);
    CHECK(kernel::PackedB(100, 33, DType::f16).bytes() == 2 * whole * 33);
    CHECK(kernel::PackedB(100, 33, DType::i8).bytes() == whole * 36 + 4 * whole);
}

}  // namespace kernel_matmul_pack
