// How much memory this program has asked for at once. A test executable that includes this has one file that defines
// these functions and listens to what allocates.
#pragma once
#include <cstddef>

namespace tessera::test {

/// Bytes of the largest block since the last forget_largest_block().
std::size_t largest_block();
void forget_largest_block();

}  // namespace tessera::test
