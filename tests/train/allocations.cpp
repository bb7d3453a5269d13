#include "support/count_allocations.hpp"
