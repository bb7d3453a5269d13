// Replaces the operators new and delete of the executable by ones that count; for exactly one .cpp file of it. Those of clang's
// thread sanitizer cannot be replaced: it says itself when memory is asked for.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "support/allocations.hpp"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/allocator_interface.h>
#define TESSERA_SANITIZER_COUNTS
#endif
#endif

namespace {

std::atomic<tessera::Index> allocation_count = 0;

}  // namespace

tessera::Index tessera::test::allocations() { return allocation_count; }

#if defined(TESSERA_SANITIZER_COUNTS)

[[maybe_unused]] static const int counts = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { ++allocation_count; }, [](const volatile void*) {});

#else

namespace {

void* counted(std::size_t size, std::size_t align) {
    ++allocation_count;
    const std::size_t whole = (size + align - 1) / align * align;
    if (void* p = std::aligned_alloc(align, whole == 0 ? align : whole)) return p;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t align) { return counted(size, static_cast<std::size_t>(align)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {  // the sanitizers have one of their own
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

#endif
