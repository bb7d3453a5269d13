// Where the reference data lies.
#pragma once
#include <filesystem>
#include <string_view>

namespace tessera::test {

/// tests/golden/NAME, from the place of this header in the source tree.
inline std::filesystem::path golden(std::string_view name) {
    return std::filesystem::path(__FILE__).parent_path().parent_path() / "golden" / name;
}

}  // namespace tessera::test
