// Keys and values that are kept as f32 or rounded to bf16.
#include <tessera/nn/cache.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <tessera/nn/attention.hpp>
#include <tessera/nn/randomize.hpp>

namespace nn_cache {
using namespace tessera;

namespace {

Tensor<float, dyn, 48> random_rows(Index count, unsigned seed) {
    Tensor<float, dyn, 48> x({count, 48});
    std::uint32_t state = seed * 2654435761u + 1u;
    for (float& value : x.view()) {
        state = state * 1664525u + 1013904223u;
        value = static_cast<float>(state >> 8) * 0x1p-23f - 1;
    }
    return x;
}

/// Reads 12 rows, 5 and then one by one, with two layers' places in the cache; returns what the second gives.
Tensor<float, dyn, 48> read_rows(const Attention<48, 4>& layer, KeyValueCache<48>& cache, Scratch& s) {
    const auto x = random_rows(12, 5);
    Tensor<float, dyn, 48> out({12, 48});
    for (Index at = 0; at < 12;) {
        const Index count = at == 0 ? 5 : 1;
        const Causal causal = Causal::after(at);
        const std::vector<Index> places(static_cast<std::size_t>(count), at);
        const Continuation<KeyValueCache<48>> text{&cache, count, causal, places};
        layer.into(out.view().slice(at, count), x.view().slice(at, count), {&text, 1}, 1, s);
        cache.advance(places);
        at += count;
    }
    return out;
}

struct Count : Recorder {
    using Recorder::on;
    void on(const AttendOp& op) override { keys += op.shape.keys; }
    Index keys = 0;
};

}  // namespace

TEST_CASE("bf16 takes half the memory, holds what is nearest, and leaves other rows alone") {
    Scratch s;
    const auto keys = random_rows(3, 1), values = random_rows(3, 2), later = random_rows(1, 3);
    KeyValueCache<48> f32(2, 4), half(2, 4, DType::bf16);
    CHECK(f32.bytes() == 2 * 2 * 4 * 48 * 4);
    CHECK(half.bytes() == f32.bytes() / 2);
    CHECK(half.dtype() == DType::bf16);
    for (auto* cache : {&f32, &half}) {
        cache->write(1, 0, {keys, values}, s);
        cache->write(1, 3, {later, later}, s);
        cache->write(0, 0, {values, keys}, s);
        cache->read(1, 4, [&]<class T>(const KeyValues<48, T>& found) {
            CHECK(std::same_as<T, bf16> == (cache == &half));
            const auto expected = [](float x) {
                if constexpr (std::same_as<T, bf16>)
                    return to_float(to_bf16(x));
                else
                    return x;
            };
            for (Index i = 0; i < 4; ++i)
                for (Index c = 0; c < 48; ++c) {
                    CHECK(to_float(found.keys(i, c)) == expected(i < 3 ? keys(i, c) : later(0, c)));
                    CHECK(to_float(found.values(i, c)) == expected(i < 3 ? values(i, c) : later(0, c)));
                }
        });
    }
}

TEST_CASE("attention behind a cache of bf16 is that of f32 to what rounding its keys and values changes") {
    Attention<48, 4> layer;
    randomize(layer, 11);
    Scratch s;
    KeyValueCache<48> exact(2, 12), half(2, 12, DType::bf16);
    const auto expected = read_rows(layer, exact, s), found = read_rows(layer, half, s);
    float largest = 0, worst = 0;
    for (Index i = 0; i < 12; ++i)
        for (Index c = 0; c < 48; ++c) {
            largest = std::max(largest, std::abs(expected(i, c)));
            worst = std::max(worst, std::abs(expected(i, c) - found(i, c)));
        }
    CAPTURE(worst / largest);
    CHECK(worst > 0);
    CHECK(worst <= 0x1p-8f * largest);  // twice what rounding to the nearest changes in a number

    Count count;
    Scratch listening(count);
    KeyValueCache<48> again(2, 12, DType::bf16);
    const auto recorded = read_rows(layer, again, listening);
    CHECK(std::memcmp(recorded.data(), found.data(), static_cast<std::size_t>(found.size()) * sizeof(float)) == 0);
    CHECK(count.keys == 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12);
}

TEST_CASE("more rows than there is room for are refused") {
    Attention<48, 4> layer;
    randomize(layer, 11);
    Scratch s;
    KeyValueCache<48> half(2, 11, DType::bf16);
    CHECK_THROWS_WITH_AS(read_rows(layer, half, s),
                         "[sequence.length] Attention: the cache has room for 11 rows, found 12", Error);
}

}  // namespace nn_cache
