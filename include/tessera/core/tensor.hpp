// Memory of one's own: aligned to a cache line, sized at run time, never grown.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <tessera/core/view.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

/// Everything this library allocates begins on a cache line, which is also the width of an AVX-512 register.
inline constexpr std::size_t alignment = 64;

/// A movable block of `size` elements of a trivial type; not initialised. Or one that is part of somebody else's memory, who lives
/// as long as the block does.
template <class T>
    requires std::is_trivially_copyable_v<T>
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(Index size)
        : data_(size == 0 ? nullptr
                          : static_cast<T*>(::operator new[](static_cast<std::size_t>(size) * sizeof(T),
                                                             std::align_val_t{alignment}))),
          size_(size) {}
    Buffer(T* data, Index size, std::shared_ptr<const void> owner) : data_(data, Free{std::move(owner)}), size_(size) {}

    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    Index size() const { return size_; }
    T& operator[](Index i) { return data_.get()[i]; }
    const T& operator[](Index i) const { return data_.get()[i]; }

  private:
    struct Free {
        std::shared_ptr<const void> owner = nullptr;
        void operator()(T* p) const {
            if (owner == nullptr) ::operator delete[](p, std::align_val_t{alignment});
        }
    };
    std::unique_ptr<T, Free> data_;
    Index size_ = 0;
};

/// Memory of a file that is mapped, from which parameters take theirs, one after another.
class MappedMemory {
  public:
    /// What is mapped may be written to.
    MappedMemory(std::byte* begin, Index bytes, std::shared_ptr<const void> owner)
        : begin_(begin), bytes_(bytes), owner_(std::move(owner)) {}

    /// The next `count` elements; none where there is not enough.
    template <class T>
    Buffer<T> take(Index count) {
        const Index at = wanted_;
        wanted_ += aligned(count * Index{sizeof(T)});
        if (wanted_ > bytes_ || !is_aligned()) return {};
        return Buffer<T>(reinterpret_cast<T*>(begin_ + at), count, owner_);
    }
    /// Bytes that were asked for.
    Index wanted() const { return wanted_; }
    bool is_aligned() const { return reinterpret_cast<std::uintptr_t>(begin_) % alignment == 0; }
    /// What so many bytes take of it.
    static constexpr Index aligned(Index bytes) {
        constexpr Index unit{alignment};
        return (bytes + unit - 1) / unit * unit;
    }

  private:
    std::byte* begin_;
    Index bytes_, wanted_ = 0;
    std::shared_ptr<const void> owner_;
};

/// An owning, aligned, row-major array; the counterpart of View.
/// shape   Extents..., `dyn` where the extent is given to the constructor
/// errors  std::bad_alloc
/// cost    one allocation; starts as zeros; copies deeply
template <class T, Index... Extents>
class Tensor {
  public:
    static constexpr std::size_t rank = sizeof...(Extents);

    /// All extents static, or zero where they are not.
    Tensor() : Tensor(std::array<Index, rank>{(Extents == dyn ? Index{0} : Extents)...}) {}
    explicit Tensor(std::array<Index, rank> extents) : view_(nullptr, extents), buffer_(view_.size()) {
        view_ = {buffer_.data(), extents};
        std::fill_n(buffer_.data(), buffer_.size(), T{});
    }
    Tensor(std::array<Index, rank> extents, std::initializer_list<T> values) : Tensor(extents) {
        TESSERA_EXPECTS(static_cast<Index>(values.size()) == size());
        std::copy(values.begin(), values.end(), data());
    }
    Tensor(const Tensor& other) : Tensor(other.extents()) { std::copy_n(other.data(), size(), data()); }
    Tensor(Tensor&& other) noexcept = default;
    Tensor& operator=(const Tensor& other) { return *this = Tensor(other); }
    Tensor& operator=(Tensor&& other) noexcept = default;
    ~Tensor() = default;

    View<T, Extents...> view() { return view_; }
    View<const T, Extents...> view() const { return view_; }
    operator View<T, Extents...>() { return view_; }
    operator View<const T, Extents...>() const { return view_; }

    T* data() { return buffer_.data(); }
    const T* data() const { return buffer_.data(); }
    Index size() const { return buffer_.size(); }
    std::array<Index, rank> extents() const { return view_.extents(); }
    Index extent(std::size_t axis) const { return view_.extent(axis); }
    template <std::convertible_to<Index>... I>
        requires(sizeof...(I) == rank)
    T& operator()(I... index) { return view()(index...); }
    template <std::convertible_to<Index>... I>
        requires(sizeof...(I) == rank)
    const T& operator()(I... index) const { return view()(index...); }

  private:
    View<T, Extents...> view_;
    Buffer<T> buffer_;
};

}  // namespace tessera::inline TESSERA_ISA
