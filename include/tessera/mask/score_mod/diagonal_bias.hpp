// A bias that depends on the distance between key and query alone.
#pragma once
#include <concepts>
#include <memory>
#include <tessera/mask/score_mod/score_mod.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// One number for each head and each distance key − query. Copies share the table.
/// shape   for queries 0, …, T − 1 and keys 0, …, S − 1; [H, T + S − 1] floats, the distance falling, and once more with
///         the distance rising
/// cost    one table, made once for the longest sequence and used in all layers and steps
class DiagonalBias {
  public:
    /// The numbers are value(head, distance).
    template <std::invocable<Index, Index> Value>
    DiagonalBias(Index heads, Index queries, Index keys, Value value)
        : queries_(queries),
          keys_(keys),
          owned_(std::make_shared<std::vector<float>>(static_cast<std::size_t>(size(heads, queries, keys)))) {
        fill(owned_->data(), heads, value);
    }
    /// The same in memory that the caller lends: `size(heads, queries, keys)` floats.
    template <std::invocable<Index, Index> Value>
    DiagonalBias(float* memory, Index heads, Index queries, Index keys, Value value) : queries_(queries), keys_(keys) {
        fill(memory, heads, value);
    }
    static constexpr Index size(Index heads, Index queries, Index keys) { return 2 * heads * (queries + keys - 1); }

    /// The same table where the first query is in position `past`, as with a key-value cache.
    DiagonalBias after(Index past) const {
        TESSERA_EXPECTS(past < queries_);
        DiagonalBias later = *this;
        later.past_ = past;
        return later;
    }

    float operator()(Site at) const { return column(at.head, at.key)[at.query]; }
    const float* column(Index head, Index key) const { return table_ + head * width() + place(0, key); }
    const float* row(Index head, Index query) const {
        TESSERA_EXPECTS(past_ + query < queries_);
        return table_ + rising_ + head * width() + queries_ - 1 - past_ - query;
    }

    /// Numbers for each head, T + S − 1.
    Index width() const { return queries_ + keys_ - 1; }
    /// Which of them it is that `query` and `key` take; neighbouring queries take neighbouring ones.
    Index place(Index query, Index key) const {
        TESSERA_EXPECTS(past_ + query < queries_ && key < keys_);
        return keys_ - 1 - key + past_ + query;
    }

  private:
    void fill(float* table, Index heads, const auto& value) {
        TESSERA_EXPECTS(queries_ > 0 && keys_ > 0);
        for (Index head = 0; head < heads; ++head)
            for (Index i = 0; i < width(); ++i)
                table[head * width() + i] = table[(heads + head + 1) * width() - 1 - i] = value(head, keys_ - 1 - i);
        table_ = table;
        rising_ = heads * width();
    }

    Index queries_, keys_, past_ = 0, rising_ = 0;
    std::shared_ptr<std::vector<float>> owned_;  // none where the memory is lent
    const float* table_ = nullptr;
};

}  // namespace tessera::inline TESSERA_ISA
