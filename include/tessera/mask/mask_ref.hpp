// A mask of any kind as two words: what kernels take, so that each is compiled once and not once for each policy.
#pragma once
#include <new>
#include <tessera/mask/mask.hpp>

namespace tessera::inline TESSERA_ISA {

/// Points to a mask and to a table of its answers. It is a mask itself. Kernels ask it about tiles and rows of tiles, never
/// about single scores in their inner loops, so that a call through the table does not show.
/// cost    two words, no allocation; the mask has to outlive it
class MaskRef {
  public:
    template <class M>
        requires(!std::same_as<M, MaskRef> && Mask<M>)
    constexpr MaskRef(const M& mask) : mask_(&mask), table_(&table_of<M>) {}

    bool allows(Site at) const { return table_->allows(mask_, at); }
    Cover cover(Tile tile) const { return table_->cover(mask_, tile); }
    Range key_bounds(Range queries) const { return table_->key_bounds(mask_, queries); }
    Range full_keys(Range queries) const { return table_->full_keys(mask_, queries); }
    std::uint64_t bits(Index head, Index query, Range keys) const {
        std::uint64_t word = 0;
        table_->bits(mask_, head, {query, query + 1}, keys, &word);
        return word;
    }
    /// The bits of many queries: out[i] are those of `queries.begin + i`.
    void bits(Index head, Range queries, Range keys, std::uint64_t* out) const {
        table_->bits(mask_, head, queries, keys, out);
    }
    Index next_sequence(Index query) const { return table_->next_sequence(mask_, query); }
    bool fits(Index queries, Index keys) const { return table_->fits(mask_, queries, keys); }
    bool cover_is_exact() const { return table_->cover_is_exact(mask_); }
    Index heads() const { return table_->heads(mask_); }

    /// What a copy of the mask takes, for whoever has to keep it longer than its owner does.
    std::size_t size() const { return table_->size; }
    std::size_t align() const { return table_->align; }
    /// A reference to a copy of the mask in `memory`, which `destroy` ends.
    MaskRef copy_to(void* memory) const {
        table_->copy(memory, mask_);
        return MaskRef(memory, table_);
    }
    void destroy() const { table_->destroy(const_cast<void*>(mask_)); }

  private:
    struct Table {
        bool (*allows)(const void*, Site);
        Cover (*cover)(const void*, Tile);
        Range (*key_bounds)(const void*, Range);
        Range (*full_keys)(const void*, Range);
        void (*bits)(const void*, Index, Range, Range, std::uint64_t*);
        Index (*next_sequence)(const void*, Index);
        bool (*fits)(const void*, Index, Index);
        bool (*cover_is_exact)(const void*);
        Index (*heads)(const void*);
        std::size_t size, align;
        void (*copy)(void*, const void*);
        void (*destroy)(void*);
    };
    MaskRef(const void* mask, const Table* table) : mask_(mask), table_(table) {}

    template <Mask M>
    static const M& as(const void* mask) {
        return *static_cast<const M*>(mask);
    }
    template <Mask M>
    static constexpr Table table_of{
        [](const void* m, Site at) { return as<M>(m).allows(at); },
        [](const void* m, Tile tile) { return masks::cover(as<M>(m), tile); },
        [](const void* m, Range queries) { return masks::key_bounds(as<M>(m), queries, Range::everywhere.end); },
        [](const void* m, Range queries) { return masks::full_keys(as<M>(m), queries, Range::everywhere.end); },
        [](const void* m, Index head, Range queries, Range keys, std::uint64_t* out) {
            for (Index query = queries.begin; query < queries.end; ++query)
                *out++ = masks::bits(as<M>(m), head, query, keys);
        },
        [](const void* m, Index query) {
            return masks::same_sequence(as<M>(m), {query, Range::everywhere.end}).end;
        },
        [](const void* m, Index queries, Index keys) { return masks::fits(as<M>(m), queries, keys); },
        [](const void* m) { return masks::cover_is_exact(as<M>(m)); },
        [](const void* m) { return masks::heads(as<M>(m)); },
        sizeof(M),
        alignof(M),
        [](void* to, const void* from) { ::new (to) M(as<M>(from)); },
        [](void* m) { static_cast<M*>(m)->~M(); },
    };

    const void* mask_;
    const Table* table_;
};

}  // namespace tessera::inline TESSERA_ISA
