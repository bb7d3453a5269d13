// How often this program has asked for memory on the heap. A test executable that includes this has one file
// allocations.cpp that includes support/count_allocations.hpp.
#pragma once
#include <tessera/core/view.hpp>

namespace tessera::test {

/// Calls of operator new since the program began, on all threads.
Index allocations();

}  // namespace tessera::test
