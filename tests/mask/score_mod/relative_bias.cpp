#include <doctest/doctest.h>

#include <tessera/core/tensor.hpp>
#include <tessera/mask/score_mod/alibi.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>

namespace mask_score_mod_relative_bias {
using namespace tessera;

static_assert(ColumnBias<DiagonalBias> && RowBias<DiagonalBias>);

TEST_CASE("T5's buckets begin where they should") {
    const RelativeBuckets encoder{}, decoder{.both_ways = false};
    // The first distances of the buckets from 8 (of 16) and from 16 (of 32) on, as transformers computes them.
    const std::vector<Index> encoder_starts{8, 12, 16, 23, 32, 46, 64, 91};
    const std::vector<Index> decoder_starts{16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113};
    for (Index distance = 0; distance < 1000; ++distance) {
        const auto past = [distance](const std::vector<Index>& starts) {
            return std::upper_bound(starts.begin(), starts.end(), distance) - starts.begin();
        };
        const Index near = distance < 8 ? distance : 7 + past(encoder_starts);
        CHECK(encoder(-distance) == near);
        if (distance > 0) CHECK(encoder(distance) == 16 + near);
        CHECK(decoder(-distance) == (distance < 16 ? distance : 15 + past(decoder_starts)));
        CHECK(decoder(distance) == 0);
    }
}

TEST_CASE("T5's bias is its table at the bucket of the distance") {
    Tensor<float, dyn, dyn> table({32, 3});
    for (Index i = 0; i < table.size(); ++i) table.data()[i] = static_cast<float>(i);
    const RelativeBuckets bucket{};
    const DiagonalBias bias = relative_bias(table.view(), bucket, 150, 40);
    for (const Index head : {0, 2})
        for (const Index query : {0, 1, 20, 149})
            for (const Index key : {0, 7, 39}) {
                CHECK(bias({head, query, key}) == table(bucket(key - query), head));
                CHECK(bias.column(head, key)[query] == table(bucket(key - query), head));
                CHECK(bias.row(head, query)[key] == table(bucket(key - query), head));
            }
    std::vector<float> memory(static_cast<std::size_t>(DiagonalBias::size(3, 150, 40)));
    const DiagonalBias lent = relative_bias(memory.data(), table.view(), bucket, 150, 40);
    for (const Index head : {0, 1, 2})
        for (Index query = 0; query < 150; ++query) CHECK(lent.row(head, query)[39] == bias.row(head, query)[39]);
    CHECK(bias.width() == 189);
    CHECK(bias.place(0, 39) == 0);
    CHECK(bias.place(149, 0) == 188);
    const DiagonalBias later = bias.after(100);
    CHECK(later({1, 3, 39}) == bias({1, 103, 39}));
    CHECK(later({1, 49, 0}) == bias({1, 149, 0}));
    CHECK(later.row(1, 3)[39] == bias({1, 103, 39}));
    CHECK(later.row(1, 49)[0] == bias({1, 149, 0}));
    CHECK(later.place(3, 39) == bias.place(103, 39));
}

TEST_CASE("the table's gradient adds up what shares a bucket") {
    constexpr Index heads = 2, queries = 90, keys = 150;
    const RelativeBuckets bucket{.both_ways = false};
    // Each score's gradient, its sum over each distance, and its sum over each bucket.
    const auto gradient = [](Index head, Index query, Index key) {
        return static_cast<float>((head * 7 + query * 5 + key * 3) % 11 - 5);
    };
    Tensor<float, dyn, dyn> distances({heads, queries + keys - 1}), expected({32, heads}), table({32, heads});
    for (Index head = 0; head < heads; ++head)
        for (Index query = 0; query < queries; ++query)
            for (Index key = 0; key < keys; ++key) {
                distances(head, keys - 1 - (key - query)) += gradient(head, query, key);
                expected(bucket(key - query), head) += gradient(head, query, key);
            }
    const Tensor<float, dyn, dyn>& summed = distances;
    relative_bias_backward(table, summed.view(), bucket, keys);
    for (Index i = 0; i < table.size(); ++i)
        CHECK(table.data()[i] == expected.data()[i]);  // small whole numbers: exact
}

TEST_CASE("ALiBi's slopes") {
    const std::vector<float> eight{0.5f, 0.25f, 0.125f, 0.0625f, 0.03125f, 0.015625f, 0.0078125f, 0.00390625f};
    for (Index head = 0; head < 8; ++head) CHECK(alibi_slope(head, 8) == eight[static_cast<std::size_t>(head)]);
    // Six heads: four of four, then the first and third of eight.
    const std::vector<float> six{0.25f, 0.0625f, 0.015625f, 0.00390625f, 0.5f, 0.125f};
    for (Index head = 0; head < 6; ++head) CHECK(alibi_slope(head, 6) == six[static_cast<std::size_t>(head)]);
    const DiagonalBias bias = alibi(6, 10, 10);
    CHECK(bias({5, 9, 2}) == -0.875f);
    CHECK(bias({5, 2, 9}) == -0.875f);
    CHECK(bias.after(4)({4, 1, 5}) == 0.0f);
}

}  // namespace mask_score_mod_relative_bias
