// JSON as the program prints and keeps it.
#pragma once
#include <iostream>
#include <string>
#include <tessera/core/json.hpp>

namespace program {

/// JSON on one line; bytes that are no UTF-8, as names of files may have, become U+FFFD.
inline std::string json_text(const tessera::Json& json) {
    return json.dump(-1, ' ', false, tessera::Json::error_handler_t::replace);
}

/// One JSON object on a line of standard output.
inline void print(const tessera::Json& object) { std::cout << json_text(object) << std::endl; }

}  // namespace program
