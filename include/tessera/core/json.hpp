// JSON from files that are not trusted: bounded depth, no key twice, errors that name the file. The only place for
// nlohmann/json.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/printable.hpp>
#include <unordered_set>
#include <vector>

namespace tessera {

using Json = nlohmann::json;

/// Parses `text`, which came from `where` (a path, for messages). A byte order mark is skipped.
/// errors  `code` with the place in the text and the keys that lead there, when it is not JSON, not UTF-8, nested
/// deeper
///         than 64, or has a key twice
inline Json parse_json(std::string_view text, std::string_view where, Errc code) {
    constexpr int deepest = 64;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    struct Object {
        std::unordered_set<std::string> keys;
        std::string last;
    };
    std::vector<Object> open;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
        using Event = Json::parse_event_t;
        if (depth > deepest) throw Error(code, where, ": JSON nested deeper than ", deepest, " levels");
        if (event == Event::object_start) open.emplace_back();
        if (event == Event::object_end) open.pop_back();
        if (event == Event::key) {
            open.back().last = value.get<std::string>();
            if (!open.back().keys.insert(open.back().last).second)
                throw Error(code, where, ": the key ", in_quotes(open.back().last), " appears twice");
        }
        return true;
    };
    try {
        return Json::parse(text, watch);
    } catch (const Json::exception& error) {
        std::string_view reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
        if (const auto end = reason.find("] "); end != std::string_view::npos) reason.remove_prefix(end + 2);
        std::string path;
        for (const Object& object : open) path += (path.empty() ? "" : " → ") + object.last;
        throw Error(code, where, ": not JSON", path.empty() ? std::string() : ", behind " + in_quotes(path), ": ",
                    printable(reason));
    }
}

/// Reads and parses a whole file.
inline Json read_json(const std::filesystem::path& path, Errc code = Errc::file_format) {
    const MappedFile file(path);
    if (file.text().empty()) throw Error(code, path.string(), ": the file is empty, expected JSON");
    return parse_json(file.text(), path.string(), code);
}

}  // namespace tessera
