// Foreign bytes are read, or refused in one sentence that says where. A program of this folder includes this once and
// defines `place` and `read`; libFuzzer calls it with bytes of its own until something else happens.
#pragma once
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/utf8.hpp>

namespace tessera::fuzz {

/// What every refusal names.
extern const std::string_view place;
/// How many bytes a single block of memory may have for each byte that is read, beyond a megabyte.
extern const std::size_t proportion;
/// Reads `bytes`, and uses what it has read.
void read(std::string_view bytes);

/// Stops if something does not hold that always should.
inline void expect(bool right, std::string_view what, std::string_view found = {}) {
    if (right) return;
    std::cerr << "expected " << what << (found.empty() ? "" : ", found: ") << found << std::endl;
    std::abort();
}

inline std::size_t largest_block = std::numeric_limits<std::size_t>::max();  // that may be asked for now

}  // namespace tessera::fuzz

extern "C" void __sanitizer_malloc_hook(const volatile void*, std::size_t size) {
    using namespace tessera::fuzz;
    if (size <= largest_block) return;
    largest_block = std::numeric_limits<std::size_t>::max();
    std::cerr << "a block of " << size << " bytes was asked for" << std::endl;
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace tessera;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::largest_block = (std::size_t{1} << 20) + fuzz::proportion * size;
    try {
        fuzz::read(bytes);
    } catch (const Error& error) {
        const std::string_view message = error.what();
        constexpr std::size_t longest = 1500;
        fuzz::expect(message.size() <= longest, "a sentence", message);
        fuzz::expect(printable(message, longest) == message, "one line of readable text", message);
        fuzz::expect(message.find(fuzz::place) != message.npos, "a place", message);
    }
    fuzz::largest_block = std::numeric_limits<std::size_t>::max();
    return 0;
}
