// Text without pictures, for language models.
#pragma once
#include <filesystem>
#include <string>
#include <tessera/train/data/json_rows.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The documents of a text file, one a line, blank lines skipped; of a .jsonl or .json file, the `text` of each object.
/// errors  Errc::file_open; Errc::file_format names the line, what was expected and what was found
inline std::vector<std::string> read_documents(const std::filesystem::path& path) {
    std::vector<std::string> out;
    if (path.extension() == ".jsonl" || path.extension() == ".json") {
        for_each_json_row(path,
                          [&](const JsonValue& json, Index) { out.emplace_back(expect_text(json["text"], "a text")); });
        return out;
    }
    const MappedFile file(path);
    std::string_view rest = file.text();
    for (Index number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        expect_utf8(line, path.string() + ':' + std::to_string(number), Errc::file_format);
        if (line.find_first_not_of(" \t") != line.npos) out.emplace_back(line);
    }
    if (out.empty()) throw Error(Errc::file_format, path.string(), ": expected a document a line, found none");
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
