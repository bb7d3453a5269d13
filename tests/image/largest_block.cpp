// The operators new and delete of this executable. In a file of their own, so that they are never inlined.
#include "support/largest_block.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> largest = 0;

void* noted(std::size_t size, std::size_t align) {
    largest = std::max<std::size_t>(largest, size);
    const std::size_t whole = (std::max<std::size_t>(size, 1) + align - 1) / align * align;
    if (void* p = std::aligned_alloc(align, whole)) return p;
    throw std::bad_alloc();
}

}  // namespace

std::size_t tessera::test::largest_block() { return largest; }
void tessera::test::forget_largest_block() { largest = 0; }

void* operator new(std::size_t size) { return noted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t align) { return noted(size, static_cast<std::size_t>(align)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
