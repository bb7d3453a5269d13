// A mask from a lambda.
#pragma once
#include <memory>
#include <tessera/mask/mask.hpp>
#include <type_traits>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Any predicate of a Site, or of a query's and a key's position, as a mask:
///     Where{[](Site at) { return (at.query ^ at.key) % 3 != 0; }}
///     Where{[](Index query, Index key) { return key % 2 == query % 2; }}
///     # . # .
///     . # . #
///     # . # .
/// cost    nothing is known of whole tiles, so every score is asked about, for each head anew; `Classified`
///         (mask/block_mask.hpp) asks once and remembers
template <class Predicate>
    requires std::copy_constructible<Predicate> &&
        (std::predicate<const Predicate&, Site> || std::predicate<const Predicate&, Index, Index>)class Where {
      public:
        constexpr Where(Predicate predicate) : predicate_(std::move(predicate)) {}
        constexpr Where(const Where&) = default;
        constexpr Where(Where&&) = default;
        // A lambda that captures cannot be assigned, but a mask has to be: it is made anew in its place.
        constexpr Where& operator=(const Where& other) {
            if (this != &other) *this = Where(other);
            return *this;
        }
        constexpr Where& operator=(Where&& other) noexcept(std::is_nothrow_move_constructible_v<Predicate>) {
            static_assert(std::is_nothrow_move_constructible_v<Predicate>,
                          "a mask's predicate must not throw when moved");
            if (this == &other) return *this;
            std::destroy_at(&predicate_);
            std::construct_at(&predicate_, std::move(other.predicate_));
            return *this;
        }
        constexpr ~Where() = default;

        constexpr bool allows(Site at) const {
            if constexpr (std::predicate<const Predicate&, Site>)
                return predicate_(at);
            else
                return predicate_(at.query, at.key);
        }

      private:
        Predicate predicate_;
    };

}  // namespace tessera::inline TESSERA_ISA
