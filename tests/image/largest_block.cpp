// What asks for memory in this executable, the libraries that decode pictures included.
#include "support/largest_block.hpp"

#include <algorithm>
#include <atomic>

namespace {

std::atomic<std::size_t> largest = 0;

void note(std::size_t size) { largest = std::max<std::size_t>(largest, size); }

}  // namespace

std::size_t tessera::test::largest_block() { return largest; }
void tessera::test::forget_largest_block() { largest = 0; }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TESSERA_TEST_SANITIZER
#endif
#endif

#ifdef TESSERA_TEST_SANITIZER

extern "C" void __sanitizer_malloc_hook(const volatile void*, std::size_t size) { note(size); }

#else

// The names under which glibc keeps what these replace.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t align, std::size_t size);

void* malloc(std::size_t size) {
    note(size);
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    note(count * size);
    return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
    note(size);
    return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) {
    note(size);
    return __libc_memalign(align, size);
}
}

#endif
