// What the program prints while it loads.
#include "../examples/tessera/progress.hpp"

#include <doctest/doctest.h>

namespace checkpoint_progress {
using namespace program;

TEST_CASE("bytes in the unit that suits them") {
    CHECK(bytes_text(0) == "0 B");
    CHECK(bytes_text(999) == "999 B");
    CHECK(bytes_text(1000) == "1.0 kB");
    CHECK(bytes_text(123456) == "123 kB");
    CHECK(bytes_text(999'600) == "1.0 MB");
    CHECK(bytes_text(7'510'000'000) == "7.5 GB");
    CHECK(bytes_text(5'000'000'000'000'000) == "5000 TB");
}

TEST_CASE("the line of a progress bar") {
    const ProgressBar bar("loading", false);
    CHECK(bar.line(0, 2000) == "loading ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0 %  0 B of 2.0 kB");
    CHECK(bar.line(1000, 2000) == "loading ███████████████░░░░░░░░░░░░░░░ 50 %  1.0 kB of 2.0 kB");
    CHECK(bar.line(2000, 2000) == "loading ██████████████████████████████ 100 %  2.0 kB of 2.0 kB");
}

}  // namespace checkpoint_progress
