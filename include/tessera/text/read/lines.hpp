// Text files with something on each line.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/utf8.hpp>

namespace tessera::inline TESSERA_ISA {

/// Calls `f(line, number)` for the lines of a file, from 1 on; without the ends of lines, those of Windows included.
/// errors  tokenizer_format if it is not UTF-8
template <class F>
void for_each_line(const std::filesystem::path& path, F&& f) {
    const MappedFile file(path);
    std::string_view rest = file.text();
    expect_utf8(rest, path.string(), Errc::tokenizer_format);
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = rest.find('\n');
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        f(line, number);
    }
}

}  // namespace tessera::inline TESSERA_ISA
