// Data sets in JSON: an object a line, or one list of objects.
#pragma once
#include <filesystem>
#include <string>
#include <tessera/core/json.hpp>

namespace tessera::inline TESSERA_ISA {

/// How to name a row of a data set in a message.
struct RowPlaces {
    std::string file;
    bool lines = true;  // rows are lines, counted from 1; else elements of a list, from 0

    std::string operator()(Index row) const {
        return lines ? file + ':' + std::to_string(row) : file + ": [" + std::to_string(row) + ']';
    }
};

/// Calls `f(object, row)` for each object of a file, in order; blank lines are skipped. The number of a row is that of its line, or of
/// its place in the list.
/// errors  Errc::file_open; Errc::file_format names the file and the row, what was expected and what was found: not JSON, not an
///         object, no rows at all
/// cost    of lines, memory for one row; of a list, about 64 bytes a value until it is read
template <class F>
RowPlaces for_each_json_row(const std::filesystem::path& path, F&& f) {
    const MappedFile file(path);
    RowPlaces places{path.string()};
    std::string_view rest = file.text();
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF", blanks = " \t\r\n";
    if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
    const auto first = rest.find_first_not_of(blanks);
    Index rows = 0;
    if (first != rest.npos && rest[first] == '[') {
        places.lines = false;
        const JsonFile json(rest, places.file, Errc::file_format);
        for (const JsonValue row : json.root().list()) f(row.object(), rows++);
    } else {
        for (Index number = 1; !rest.empty(); ++number) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (line.find_first_not_of(blanks) == line.npos) continue;
            const JsonFile json(line, places(number), Errc::file_format);
            f(json.root().object(), number);
            ++rows;
        }
    }
    if (rows == 0)
        throw Error(Errc::file_format, places.file, ": expected an object a line, or a list of objects, found none");
    return places;
}

/// The text of a member that a path or a sentence can be: not blank, no zero bytes.
/// errors  Errc::file_format
inline std::string_view expect_text(const JsonValue& value, std::string_view what) {
    if (!value.is_text() || value.text().find_first_not_of(" \t\r\n") == std::string_view::npos ||
        value.text().find('\0') != std::string_view::npos)
        value.expected(what);
    return value.text();
}

/// Calls `f(text)` for a member that is a text or a list of at least one.
/// errors  Errc::file_format
template <class F>
void for_each_text(const JsonValue& value, F&& f) {
    if (!value.is_list()) return f(expect_text(value, "a text, or a list of texts"));
    if (value.size() == 0) value.expected("at least one text");
    for (const JsonValue element : value) f(expect_text(element, "a text"));
}

}  // namespace tessera::inline TESSERA_ISA
