// A multi-dimensional window on memory somebody else owns; extents are in the type where they are known.
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <tessera/core/error.hpp>
#include <type_traits>

namespace tessera::inline TESSERA_ISA {

/// Signed, so that differences of positions are what they look like.
using Index = std::ptrdiff_t;

/// An extent that is known at run time only.
inline constexpr Index dyn = -1;

/// A contiguous row-major view: `View<float, dyn, 768>` is any number of rows of 768 floats.
/// shape   Extents..., `dyn` where the extent is given at run time
/// errors  none; a wrong static extent does not compile, a wrong dynamic one is a debug assertion
/// cost    a pointer and one Index per extent; copies nothing
template <class T, Index... Extents>
class View {
  public:
    using value_type = std::remove_const_t<T>;
    static constexpr std::size_t rank = sizeof...(Extents);
    static constexpr std::array<Index, rank> static_extents{Extents...};

    constexpr View() = default;
    constexpr View(T* data, std::array<Index, rank> extents) : data_(data), extents_(extents) {
        for (std::size_t axis = 0; axis < rank; ++axis) {
            TESSERA_EXPECTS(extents[axis] >= 0);
            TESSERA_EXPECTS(static_extents[axis] == dyn || static_extents[axis] == extents[axis]);
        }
    }
    /// From a view whose extents agree; explicit where a static extent has to be taken on trust.
    template <class U, Index... From>
        requires(sizeof...(From) == rank && std::convertible_to<U (*)[], T (*)[]> &&
                 ((Extents == dyn || From == dyn || Extents == From) && ...))
    explicit(((Extents != dyn && From == dyn) || ...)) constexpr View(View<U, From...> other)
        : View(other.data(), other.extents()) {}

    constexpr T* data() const { return data_; }
    constexpr std::array<Index, rank> extents() const { return extents_; }
    constexpr Index extent(std::size_t axis) const {
        return static_extents[axis] == dyn ? extents_[axis] : static_extents[axis];
    }
    constexpr Index size() const {
        Index count = 1;
        for (std::size_t axis = 0; axis < rank; ++axis) count *= extent(axis);
        return count;
    }
    constexpr bool empty() const { return size() == 0; }
    constexpr std::span<T> span() const { return {data_, static_cast<std::size_t>(size())}; }
    constexpr T* begin() const { return data_; }
    constexpr T* end() const { return data_ + size(); }

    /// The element at one index per extent.
    template <std::convertible_to<Index>... I>
        requires(sizeof...(I) == rank)
    constexpr T& operator()(I... index) const {
        Index offset = 0;
        std::size_t axis = 0;
        ((TESSERA_EXPECTS(Index(index) >= 0 && Index(index) < extent(axis)),
          offset = offset * extent(axis) + Index(index), ++axis),
         ...);
        return data_[offset];
    }

    /// `count` entries of the first extent from `first` on.
    constexpr auto slice(Index first, Index count) const requires(rank > 0) {
        TESSERA_EXPECTS(first >= 0 && count >= 0 && first + count <= extent(0));
        auto extents = extents_;
        extents[0] = count;
        return with_dynamic_front(data_ + first * stride(), extents, std::make_index_sequence<rank - 1>{});
    }

    /// Elements from one entry of the first extent to the next.
    constexpr Index stride() const requires(rank > 0) {
        Index count = 1;
        for (std::size_t axis = 1; axis < rank; ++axis) count *= extent(axis);
        return count;
    }

  private:
    template <std::size_t... Axis>
    static constexpr auto with_dynamic_front(T* data, std::array<Index, rank> extents, std::index_sequence<Axis...>) {
        return View<T, dyn, static_extents[Axis + 1]...>(data, extents);
    }

    T* data_ = nullptr;
    std::array<Index, rank> extents_{};
};

/// Rows of `Width` floats: what every activation is, however many sequences it holds.
template <Index Width>
using Rows = View<float, dyn, Width>;
template <Index Width>
using ConstRows = View<const float, dyn, Width>;

}  // namespace tessera::inline TESSERA_ISA
