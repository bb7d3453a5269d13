// What masks look up: values in a row, borrowed or owned.
#pragma once
#include <atomic>
#include <initializer_list>
#include <memory>
#include <span>
#include <tessera/core/view.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA {

namespace masks {

/// make(0), make(1), …, of fixed number. For constant expressions: there, std::vector is none under _GLIBCXX_DEBUG.
template <class T>
class Values {
  public:
    template <class F>
    constexpr Values(std::size_t size, const F& make) : Values(size) {  // from here on make may throw
        for (; size_ < size; ++size_) std::construct_at(data_ + size_, make(size_));
    }
    Values(const Values&) = delete;
    Values& operator=(const Values&) = delete;
    constexpr ~Values() {
        std::destroy_n(data_, size_);
        std::allocator<T>().deallocate(data_, room_);
    }
    constexpr std::size_t size() const { return size_; }
    constexpr T* begin() const { return data_; }
    constexpr T* end() const { return data_ + size_; }
    constexpr T& operator[](std::size_t i) const { return data_[i]; }

  private:
    constexpr explicit Values(std::size_t room) : data_(std::allocator<T>().allocate(room)), room_(room) {}

    T* data_;
    std::size_t room_, size_ = 0;
};

}  // namespace masks

/// Values that a mask looks up. Made from a variable or a view, it borrows them; made from a temporary or a list, it owns
/// them, together with all its copies.
/// cost    one allocation where it owns; none to copy
template <class T>
class Table {
  public:
    template <class From>
        requires(!std::same_as<std::remove_cvref_t<From>, Table> && std::constructible_from<std::span<const T>, From>)
    constexpr Table(From&& from) : view_(from) {
        if constexpr (!std::is_lvalue_reference_v<From> && !std::ranges::enable_borrowed_range<From>)
            *this = Table(view_.size(), [this](std::size_t i) -> const T& { return view_[i]; });
    }
    constexpr Table(std::initializer_list<T> list)
        : Table(list.size(), [list](std::size_t i) -> const T& { return list.begin()[i]; }) {}
    /// Owns make(0), make(1), …
    template <class F>
    constexpr Table(std::size_t size, const F& make) : owned_(new Owned{{size, make}}) {
        view_ = {owned_->values.begin(), size};
    }
    constexpr Table(const Table& other) : view_(other.view_), owned_(other.owned_) {
        if (owned_ != nullptr) owned_->add(1);
    }
    constexpr Table& operator=(Table other) {
        std::swap(view_, other.view_), std::swap(owned_, other.owned_);
        return *this;
    }
    constexpr ~Table() {
        if (owned_ != nullptr && owned_->add(-1) == 0) delete owned_;
    }

    constexpr Index size() const { return static_cast<Index>(view_.size()); }
    constexpr const T* begin() const { return view_.data(); }
    constexpr const T* end() const { return view_.data() + view_.size(); }
    constexpr const T& operator[](Index i) const { return view_[static_cast<std::size_t>(i)]; }
    constexpr const T& front() const { return view_.front(); }
    constexpr const T& back() const { return view_.back(); }

  private:
    struct Owned {
        masks::Values<T> values;
        long count = 1;

        constexpr long add(long more) {
            return std::is_constant_evaluated() ? count += more : std::atomic_ref(count).fetch_add(more) + more;
        }
    };

    std::span<const T> view_;
    Owned* owned_ = nullptr;
};

}  // namespace tessera::inline TESSERA_ISA
