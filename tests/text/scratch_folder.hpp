// A folder for the files of one test; it is gone afterwards.
#pragma once
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>

#include "support/temporary_folder.hpp"

namespace tessera::test {

class ScratchFolder : public TemporaryFolder {
  public:
    /// Takes over a file of `folder`, if it is there.
    void copy(const std::filesystem::path& folder, std::string_view name) const {
        if (std::filesystem::exists(folder / name)) std::filesystem::copy_file(folder / name, path() / name);
    }
};

/// A check that shows the whole message if `part` is not in it.
inline void check_says(std::string_view message, std::string_view part) {
    INFO(message);
    INFO("expected: ", part);
    CHECK(message.find(part) != std::string_view::npos);
}

/// The message of the Error that `f` throws, which must be `code`; or why there is none.
template <class F>
std::string message_of(Errc code, F&& f) {
    try {
        f();
    } catch (const Error& error) {
        CHECK(name(error.code) == name(code));
        return error.what();
    }
    return "no error";
}

}  // namespace tessera::test
