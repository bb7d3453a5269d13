// What a call that fails says.
#pragma once
#include <string>
#include <tessera/core/error.hpp>

namespace tessera::test {

std::string message_of(const auto& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace tessera::test
