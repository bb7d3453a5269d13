// Whether a run goes on with the settings that it began with.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tessera/core/json.hpp>
#include <tessera/core/printable.hpp>

namespace tessera::inline TESSERA_ISA {

namespace detail {

/// The values of a JSON text by their paths.
inline void flatten(const JsonValue& value, const std::string& path, std::map<std::string, std::string>& out) {
    if (!value.is_object() && !value.is_list()) {
        out[path] = value.is_text() ? in_quotes(value.text()) : value.shown();
        return;
    }
    if (value.size() == 0) out[path] = value.is_list() ? "[]" : "{}";
    Index index = 0;
    for (const JsonValue part : value)
        flatten(part,
                value.is_list() ? path + '[' + std::to_string(index++) + ']'
                                : path + (path.empty() ? "" : ".") + printable(part.key()),
                out);
}

/// errors  Errc::option_value names the first setting that differs
inline void require_same_settings(const std::filesystem::path& file, std::string_view wanted) {
    std::map<std::string, std::string> before, now;
    flatten(JsonFile(file, Errc::option_value, JsonNull::refused).root(), "", before);
    flatten(JsonFile(wanted, "settings", Errc::option_value, JsonNull::refused).root(), "", now);
    std::map<std::string, std::string> both = before;
    both.insert(now.begin(), now.end());
    for (const auto& setting : both) {
        const std::string& path = setting.first;
        const auto shown = [&](const std::map<std::string, std::string>& settings) {
            const auto at = settings.find(path);
            return at == settings.end() ? std::string("nothing") : at->second;
        };
        if (shown(before) != shown(now))
            throw Error(Errc::option_value, file.string(), ": ", path.empty() ? "settings" : path, ": expected ",
                        shown(before), " as the run began with, found ", shown(now),
                        "; begin another run for other settings");
    }
}

}  // namespace detail

}  // namespace tessera::inline TESSERA_ISA
