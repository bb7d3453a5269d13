// A mask from a lambda.
#pragma once
#include <memory>
#include <tessera/mask/mask.hpp>
#include <type_traits>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Any predicate of a Site, or of a query's and a key's position, as a mask:
///     Predicate{[](Site at) { return (at.query ^ at.key) % 3 != 0; }}
///     Predicate{[](Index query, Index key) { return key % 2 == query % 2; }}
///     # . # .
///     . # . #
///     # . # .
/// cost    nothing is known of whole tiles, so every score is asked about, for each head anew; `BlockMask`
///         (mask/block_mask.hpp) asks once and remembers
template <class F>
    requires std::copy_constructible<F> &&
        (std::predicate<const F&, Site> || std::predicate<const F&, Index, Index>)class Predicate {
      public:
        constexpr Predicate(F predicate) : predicate_(std::move(predicate)) {}
        constexpr Predicate(const Predicate&) = default;
        constexpr Predicate(Predicate&&) = default;
        // A lambda that captures cannot be assigned, but a mask has to be: it is made anew in its place.
        constexpr Predicate& operator=(const Predicate& other) {
            if (this != &other) *this = Predicate(other);
            return *this;
        }
        constexpr Predicate& operator=(Predicate&& other) noexcept(std::is_nothrow_move_constructible_v<F>) {
            static_assert(std::is_nothrow_move_constructible_v<F>, "a mask's predicate must not throw when moved");
            if (this == &other) return *this;
            std::destroy_at(&predicate_);
            std::construct_at(&predicate_, std::move(other.predicate_));
            return *this;
        }
        constexpr ~Predicate() = default;

        constexpr bool allows(Site at) const {
            if constexpr (std::predicate<const F&, Site>)
                return predicate_(at);
            else
                return predicate_(at.query, at.key);
        }
        static constexpr Index heads() { return std::predicate<const F&, Site> ? 0 : 1; }

      private:
        F predicate_;
    };

}  // namespace tessera::inline TESSERA_ISA
