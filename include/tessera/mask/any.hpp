// A mask whose kind is known only at run time.
#pragma once
#include <memory>
#include <tessera/mask/algebra.hpp>
#include <tessera/mask/mask.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Holds any mask, for masks that come from a command line or a file; tells all that the mask inside tells. `borrowed`
/// keeps alive what the mask borrows.
/// cost    one allocation when made, none when copied; a virtual call for each question
class AnyMask {
  public:
    template <class M>
        requires(!std::same_as<M, AnyMask> && Mask<M>)
    AnyMask(M mask, std::shared_ptr<const void> borrowed = nullptr)
        : mask_(std::make_shared<const Holds<M>>(std::move(mask), std::move(borrowed))) {}

    bool allows(Site at) const { return mask_->allows(at); }
    Cover cover(Tile tile) const { return mask_->cover(tile); }
    Range key_bounds(Range queries) const { return mask_->key_bounds(queries); }
    Range full_keys(Range queries) const { return mask_->full_keys(queries); }
    std::uint64_t bits(Index head, Index query, Range keys) const { return mask_->bits(head, query, keys); }
    bool fits(Index queries, Index keys) const { return mask_->fits(queries, keys); }
    bool cover_is_exact() const { return mask_->cover_is_exact(); }
    Index heads() const { return mask_->heads(); }
    Index next_sequence(Index query) const { return mask_->next_sequence(query); }

  private:
    struct Interface {
        virtual ~Interface() = default;
        virtual bool allows(Site) const = 0;
        virtual Cover cover(Tile) const = 0;
        virtual Range key_bounds(Range) const = 0;
        virtual Range full_keys(Range) const = 0;
        virtual std::uint64_t bits(Index, Index, Range) const = 0;
        virtual bool fits(Index, Index) const = 0;
        virtual bool cover_is_exact() const = 0;
        virtual Index heads() const = 0;
        virtual Index next_sequence(Index) const = 0;
    };
    template <Mask M>
    struct Holds final : Interface {
        Holds(M m, std::shared_ptr<const void> b) : mask(std::move(m)), borrowed(std::move(b)) {}
        bool allows(Site at) const override { return mask.allows(at); }
        Cover cover(Tile tile) const override { return masks::cover(mask, tile); }
        Range key_bounds(Range queries) const override {
            return masks::key_bounds(mask, queries, Range::everywhere.end);
        }
        Range full_keys(Range queries) const override { return masks::full_keys(mask, queries, Range::everywhere.end); }
        std::uint64_t bits(Index head, Index query, Range keys) const override {
            return masks::bits(mask, head, query, keys);
        }
        bool fits(Index queries, Index keys) const override { return masks::fits(mask, queries, keys); }
        Index heads() const override { return masks::heads(mask); }
        bool cover_is_exact() const override { return masks::cover_is_exact(mask); }
        Index next_sequence(Index query) const override {
            return masks::same_sequence(mask, {query, Range::everywhere.end}).end;
        }
        M mask;
        std::shared_ptr<const void> borrowed;
    };

    std::shared_ptr<const Interface> mask_;
};

}  // namespace tessera::inline TESSERA_ISA
