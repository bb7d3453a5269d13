// From a mask to what the attention kernel works on: runs of keys that a few neighbouring queries see.
#pragma once
#include <array>
#include <cstdint>
#include <tessera/kernel/simd.hpp>
#include <tessera/mask/mask.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// Keys key, …, key + count − 1, of which all queries see each, or else `seen[i]` says who sees key + i: bit r is the
/// r-th query.
struct Run {
    Index key, count;
    const std::uint32_t* seen;  // null where everything is visible
};

/// Keys that are asked about together where a mask knows no more about a window than that some of it is visible.
inline constexpr Index tile_keys = 32;

/// Bit j of x[i] ↔ bit i of x[j].
/// source  Warren, Hacker's Delight, 7-3
constexpr void transpose_bits(std::array<std::uint32_t, 32>& x) {
    std::uint32_t low = 0x0000ffff;
    for (unsigned half = 16; half != 0; half /= 2, low ^= low << half)
        for (unsigned i = 0; i < 32; i = (i + half + 1) & ~half) {
            const std::uint32_t swap = (x[i] >> half ^ x[i + half]) & low;
            x[i] ^= swap << half;
            x[i + half] ^= swap;
        }
}

/// Writes to `runs` what `queries`, at most 32, see of the keys of `window`, leaving out keys that none of them sees.
/// Returns the number of runs, at most the number of tiles of `window`.
/// shape   seen has room for window.size() words
/// cost    one question about the whole; where that leaves doubt one about each tile of 32 keys; where that does, some
///         about each row of the tile
template <tessera::Mask M>
Index visible_runs(Run* runs, std::uint32_t* seen, const M& mask, Index head, Range queries, Range window) {
    const Range possible = intersection(window, visible_keys(mask, queries, window.end));
    if (possible.empty()) return 0;
    const Range certain = intersection(possible, common_keys(mask, queries, window.end));
    const auto cover_of = [&](Range keys) {
        return intersection(certain, keys) == keys ? Cover::all : cover(mask, Tile{head, queries, keys});
    };
    const Cover whole = cover_of(possible);
    if (whole == Cover::none) return 0;
    if (whole == Cover::all) {
        runs[0] = {possible.begin, possible.size(), nullptr};
        return 1;
    }
    Index count = 0;
    const auto append = [&](Range keys, const std::uint32_t* bits) {
        if (count > 0) {
            Run& last = runs[count - 1];
            const bool same =
                bits == nullptr || last.seen == nullptr ? bits == last.seen : last.seen + last.count == bits;
            if (same && last.key + last.count == keys.begin) {
                last.count += keys.size();
                return;
            }
        }
        runs[count++] = {keys.begin, keys.size(), bits};
    };
    const std::uint32_t everyone = ~std::uint32_t{0} >> (32 - queries.size());
    for (Range keys{possible.begin, 0}; keys.begin < possible.end; keys.begin = keys.end) {
        keys.end = std::min(possible.end, keys.begin + tile_keys);
        const Cover known = cover_of(keys);
        if (known == Cover::none) continue;
        if (known == Cover::all) {
            append(keys, nullptr);
            continue;
        }
        std::array<std::uint32_t, 32> bits{};
        std::uint32_t any = 0, all = everyone;
        for (Index i = 0; i < queries.size(); ++i)
            bits[static_cast<std::size_t>(i)] =
                static_cast<std::uint32_t>(visible_bits(mask, head, queries.begin + i, keys));
        transpose_bits(bits);
        for (Index i = 0; i < keys.size(); ++i) {
            seen[i] = bits[static_cast<std::size_t>(i)];
            any |= seen[i];
            all &= seen[i];
        }
        if (any == 0) continue;
        if (all == everyone) {
            append(keys, nullptr);
        } else {
            append(keys, seen);
            seen += keys.size();
        }
    }
    return count;
}

}  // namespace tessera::kernel::inline TESSERA_ISA
