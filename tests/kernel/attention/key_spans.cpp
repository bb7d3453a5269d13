#include <doctest/doctest.h>

#include <tessera/kernel/attention/key_spans.hpp>
#include <tessera/mask/catalog/predicate.hpp>
#include <tessera/mask/catalog/window.hpp>
#include <vector>

#include "support/catalogue.hpp"

namespace kernel_attention_key_spans {
using namespace tessera;
using kernel::KeySpan;
using kernel::tile_keys;

/// Compares the spans of a window with `allows`.
template <Mask M>
void check(const M& mask, Index head, Range queries, Range window) {
    std::vector<KeySpan> spans(static_cast<std::size_t>((window.size() + tile_keys - 1) / tile_keys));
    std::vector<std::uint32_t> seen(static_cast<std::size_t>(window.size()), ~std::uint32_t{0});
    const Index found = kernel::live_key_spans(spans.data(), seen.data(), mask, head, queries, window);
    REQUIRE(found <= static_cast<Index>(spans.size()));
    const auto seers = [&](Index key) {
        std::uint32_t bits = 0;
        for (Index query = queries.begin; query < queries.end; ++query)
            bits |= std::uint32_t{mask.allows({head, query, key})} << (query - queries.begin);
        return bits;
    };
    const std::uint32_t everyone = ~std::uint32_t{0} >> (32 - queries.size());
    Index key = window.begin;
    for (const KeySpan* span = spans.data(); span != spans.data() + found; ++span) {
        REQUIRE(span->count > 0);
        for (; key < span->key; ++key) CHECK(seers(key) == 0);
        for (; key < span->key + span->count; ++key)
            CHECK(seers(key) == (span->seen == nullptr ? everyone : span->seen[key - span->key]));
    }
    REQUIRE(key <= window.end);
    for (; key < window.end; ++key) CHECK(seers(key) == 0);
}

TEST_CASE("spans are what the mask allows") {
    const Index rows = 70, keys = 150;
    const test::Catalogue catalogue(rows, keys);
    for (const test::NamedMask& one : catalogue) {
        CAPTURE(one.name);
        for (Index head = 0; head < one.heads; ++head)
            for (const Range queries : {Range{0, 1}, {5, 13}, {16, 32}, {31, 63}, {64, 70}})
                for (const Range window : {Range{0, 150}, {0, 64}, {7, 103}, {96, 97}, {128, 150}})
                    check(one.mask, head, queries, window);
    }
}

TEST_CASE("keys that nobody sees are left out, but for small gaps") {
    KeySpan spans[4];
    std::uint32_t seen[128];
    const auto found = [&](const auto& mask) { return kernel::live_key_spans(spans, seen, mask, 0, {0, 8}, {0, 128}); };

    CHECK(found(Strided{64, 40}) == 2);  // a key for everybody
    CHECK(spans[0].key == 40);
    CHECK(spans[0].count == 1);
    CHECK(spans[0].seen == nullptr);
    CHECK(spans[1].key == 104);

    CHECK(found(Strided{4}) == 1);
    CHECK(spans[0].count == 125);
    CHECK(spans[0].seen[4] == 0xff);
    CHECK(spans[0].seen[5] == 0);

    const Predicate pairs{[](Index query, Index key) { return key % 32 == 10 + query % 2; }};
    CHECK(found(pairs) == 4);
    CHECK(spans[3].key == 106);
    CHECK(spans[3].count == 2);
    CHECK(spans[3].seen[1] == 0xaa);
}

}  // namespace kernel_attention_key_spans
