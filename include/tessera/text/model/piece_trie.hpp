// A set of pieces as a tree of bytes, in one array: from text to all pieces that it begins with, a load for each byte.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tessera/core/token.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// source  Aoe, An efficient digital search algorithm by using a double-array structure, 1989
class PieceTrie {
  public:
    struct Entry {
        std::string_view piece;  // not empty
        Token id;                // not negative
    };

    /// `entries` are sorted by their pieces, each of which is there once.
    /// cost    12 to 24 bytes for each byte that makes a difference
    explicit PieceTrie(std::span<const Entry> entries) {
        struct Group {
            std::size_t begin, end, depth;  // entries that have their first `depth` bytes in common
            std::uint32_t unit;
        };
        add_block();
        add_block();
        take(root);
        std::vector<Group> open{{0, entries.size(), 0, root}};
        std::vector<unsigned char> bytes;
        while (!open.empty()) {
            const Group group = open.back();
            open.pop_back();
            std::size_t at = group.begin;
            if (at < group.end && entries[at].piece.size() == group.depth) units_[group.unit].id = entries[at++].id;
            if (at == group.end) continue;
            const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(entries[i].piece[group.depth]); };
            bytes.clear();
            for (std::size_t i = at; i < group.end; ++i)
                if (bytes.empty() || bytes.back() != byte(i)) bytes.push_back(byte(i));
            const std::uint32_t base = free_base(bytes);
            units_[group.unit].base = base;
            for (const unsigned char child : bytes) {
                take(base ^ child);
                units_[base ^ child].parent = group.unit;
                const std::size_t begin = at;
                while (at < group.end && byte(at) == child) ++at;
                open.push_back({begin, at, group.depth + 1, base ^ child});
            }
        }
        used_ = {};
    }

    /// Calls `f(length, id)` for the pieces that `text` begins with, the shortest first.
    template <class F>
    void for_each_prefix(std::string_view text, F&& f) const {
        std::uint32_t at = root;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::uint32_t next = units_[at].base ^ static_cast<unsigned char>(text[i]);
            if (units_[next].parent != at) return;
            at = next;
            if (units_[at].id >= 0) f(i + 1, units_[at].id);
        }
    }

  private:
    static constexpr std::uint32_t block = 256;  // all children of a unit lie in one; none in the first
    static constexpr std::uint32_t root = block;
    struct Unit {
        std::uint32_t base = 0;    // the child for a byte is the unit base ^ byte,
        std::uint32_t parent = 0;  // if this unit is its parent
        Token id = -1;             // of the piece that ends here
    };

    void add_block() {
        units_.resize(units_.size() + block);
        used_.resize(units_.size() / 64);
    }
    bool taken(std::uint32_t unit) const { return used_[unit / 64] >> unit % 64 & 1; }
    void take(std::uint32_t unit) { used_[unit / 64] |= std::uint64_t{1} << unit % 64; }

    // A base for which the units of all `bytes` are free: with the first of them at one of the first free units, or in
    // a new block.
    std::uint32_t free_base(std::span<const unsigned char> bytes) {
        while (first_free_ < used_.size() && used_[first_free_] == ~std::uint64_t{0}) ++first_free_;
        int tries = 32;
        for (std::size_t word = first_free_; word < used_.size() && tries > 0; ++word)
            for (std::uint64_t free = ~used_[word]; free != 0 && tries > 0; free &= free - 1, --tries) {
                const auto unit =
                    static_cast<std::uint32_t>(64 * word) + static_cast<std::uint32_t>(std::countr_zero(free));
                const std::uint32_t base = unit ^ bytes.front();
                bool fits = true;
                for (const unsigned char byte : bytes) fits = fits && !taken(base ^ byte);
                if (fits) return base;
            }
        add_block();
        return static_cast<std::uint32_t>(units_.size()) - block;
    }

    std::vector<Unit> units_;
    std::vector<std::uint64_t> used_;  // a bit for each unit, while building
    std::size_t first_free_ = block / 64;
};

}  // namespace tessera::inline TESSERA_ISA
