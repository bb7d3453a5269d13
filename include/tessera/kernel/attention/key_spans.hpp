// From a mask to what the attention kernel works on: spans of keys that a few neighbouring queries see.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <tessera/kernel/simd/vec.hpp>
#include <tessera/mask/mask_ref.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Keys key, …, key + count − 1, of which all queries see each, or else `seen[i]` says who sees key + i: bit r is the
/// r-th query.
struct KeySpan {
    Index key, count;
    const std::uint32_t* seen;  // null where everything is visible
};

/// Keys that are asked about together where a mask knows no more about a block of keys than that some of it is visible.
inline constexpr Index tile_keys = 32;

/// So few keys that nobody sees are computed all the same, because that costs less than another span.
inline constexpr Index most_gap = 4;

/// Bit r of the i-th word is bit i of rows[r]; at most 32 rows, of which only the lower 32 bits count. Each word is a lane
/// that takes its bit of one row after another.
inline std::array<std::uint32_t, 32> transpose_bits(const std::uint64_t* rows, Index count) {
    using Words [[gnu::vector_size(width * 4)]] = std::uint32_t;
    constexpr std::size_t parts = 32 / width;
    static constexpr std::array<std::uint32_t, 32> bit = [] {
        std::array<std::uint32_t, 32> power{1};
        for (std::size_t i = 1; i < 32; ++i) power[i] = 2 * power[i - 1];
        return power;
    }();
    Words sum[parts]{}, own[parts];
    std::memcpy(own, bit.data(), sizeof own);
    while (count > 0) {
        const auto row = static_cast<std::uint32_t>(rows[--count]);
        for (std::size_t i = 0; i < parts; ++i) {
            const Words seen = (own[i] & row) == own[i];  // −1 where the bit is set
            sum[i] += sum[i] - seen;
        }
    }
    std::array<std::uint32_t, 32> words;
    std::memcpy(words.data(), sum, sizeof words);
    return words;
}

/// Writes to `spans` what `queries`, at most 32, see of the keys of `window`, leaving out tiles that none of them sees, and
/// ends of tiles. Returns the number of spans, at most the number of tiles of `window`.
/// shape   seen has room for window.size() words
/// cost    one question about the whole; where that leaves doubt one about each tile of 32 keys; where that does, the bits
///         of each row of two tiles, and some twenty vector instructions for each row to transpose them
inline Index live_key_spans(KeySpan* spans, std::uint32_t* seen, const MaskRef& mask, Index head, Range queries,
                            Range window) {
    const Range bounds = intersection(window, masks::key_bounds(mask, queries, window.end));
    if (bounds.empty()) return 0;
    const Range full = intersection(bounds, masks::full_keys(mask, queries, window.end));
    const auto cover_of = [&](Range keys) {
        return intersection(full, keys) == keys ? Cover::full : masks::cover(mask, Tile{head, queries, keys});
    };
    const Cover whole = cover_of(bounds);
    if (whole == Cover::empty) return 0;
    if (whole == Cover::full) {
        spans[0] = {bounds.begin, bounds.size(), nullptr};
        return 1;
    }
    Index count = 0;
    const auto append = [&](Range keys, const std::uint32_t* bits) {
        if (count > 0) {
            KeySpan& last = spans[count - 1];
            const Index gap = keys.begin - (last.key + last.count);
            if ((bits == nullptr) == (last.seen == nullptr) && gap <= (bits == nullptr ? 0 : most_gap)) {
                last.count += gap + keys.size();
                return;
            }
        }
        spans[count++] = {keys.begin, keys.size(), bits};
    };
    std::array<std::uint64_t, 32> rows;
    Range asked = Range::nowhere;  // what `rows` are about: two tiles at once, as neighbours are often alike
    for (Range keys{bounds.begin, 0}; keys.begin < bounds.end; keys.begin = keys.end) {
        keys.end = std::min(bounds.end, keys.begin + tile_keys);
        const Cover known = cover_of(keys);
        if (known == Cover::empty) continue;
        if (known == Cover::full) {
            append(keys, nullptr);
            continue;
        }
        const bool again = keys.end <= asked.end;
        if (!again) asked = {keys.begin, std::min(bounds.end, keys.begin + 2 * tile_keys)};
        std::uint64_t any = 0, all = ~any;
        if (!again) mask.bits(head, queries, asked, rows.data());
        for (Index i = 0; i < queries.size(); ++i) {
            std::uint64_t& row = rows[static_cast<std::size_t>(i)];
            if (again) row >>= tile_keys;
            any |= row;
            all &= row;
        }
        any &= masks::ones(keys, keys.begin), all &= any;
        if (any == 0) continue;
        const Range part{keys.begin + std::countr_zero(any), keys.begin + 64 - std::countl_zero(any)};
        if (all == masks::ones(part, keys.begin)) {
            append(part, nullptr);
            continue;
        }
        std::uint32_t* const bits = seen + (keys.begin - window.begin);
        std::copy_n(transpose_bits(rows.data(), queries.size()).data(), keys.size(), bits);
        append(part, bits + (part.begin - keys.begin));
    }
    return count;
}

}  // namespace tessera::inline TESSERA_ISA::kernel
