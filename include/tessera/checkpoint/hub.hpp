// Models that Hugging Face's tools have downloaded to this machine.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// The folders in which those tools keep what they download, the most particular setting first.
inline std::vector<std::filesystem::path> hub_caches() {
    std::vector<std::filesystem::path> out;
    const auto add = [&](const char* variable, const char* below) {
        if (const char* value = std::getenv(variable); value != nullptr && *value != '\0')
            out.push_back(std::filesystem::path(value) / below);
    };
    add("HF_HUB_CACHE", "");
    add("HF_HOME", "hub");
    add("XDG_CACHE_HOME", "huggingface/hub");
    add("HOME", ".cache/huggingface/hub");
    return out;
}

namespace detail {

/// `Salesforce/blip2-opt-2.7b`, `gpt2`: what may be a name on the hub, and so part of a path.
inline bool is_hub_name(std::string_view name) {
    const auto slash = name.find('/');
    const auto good = [](std::string_view part) {
        return !part.empty() && part.front() != '.' && part.find("..") == part.npos &&
               part.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == part.npos;
    };
    return slash == name.npos ? good(name) : good(name.substr(0, slash)) && good(name.substr(slash + 1));
}

/// The folder of the revision `main` below `models--…`, or else the newest one.
inline std::optional<std::filesystem::path> snapshot(const std::filesystem::path& model) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    std::string revision;
    std::ifstream(model / "refs" / "main") >> revision;
    if (is_hub_name(revision) && fs::is_directory(model / "snapshots" / revision, ignored))
        return model / "snapshots" / revision;
    std::optional<fs::path> newest;
    fs::file_time_type newest_time{};
    for (const auto& entry : fs::directory_iterator(model / "snapshots", ignored)) {
        if (!entry.is_directory(ignored)) continue;
        const auto time = fs::last_write_time(entry.path(), ignored);
        if (!newest || time > newest_time) newest = entry.path(), newest_time = time;
    }
    return newest;
}

}  // namespace detail

/// The folder of a model: `model` itself if there is such a folder (or file), or else the downloaded model of that name
/// on the hub (`Salesforce/blip2-opt-2.7b`), at its revision `main`, or the newest if that is not known.
/// errors  Errc::file_open names the places it looked at
inline std::filesystem::path resolve_model(const std::string& model,
                                           const std::vector<std::filesystem::path>& caches = hub_caches()) {
    std::error_code ignored;
    if (!model.empty() && std::filesystem::exists(model, ignored)) return model;
    if (!detail::is_hub_name(model)) throw Error(Errc::file_open, in_quotes(model), ": no such folder");
    std::string name = "models--" + model;
    if (const auto slash = name.find('/'); slash != name.npos) name.replace(slash, 1, "--");
    std::string looked;
    for (const auto& cache : caches) {
        if (const auto found = detail::snapshot(cache / name)) return *found;
        looked += (looked.empty() ? "" : ", ") + in_quotes((cache / name).string());
    }
    throw Error(Errc::file_open, in_quotes(model), ": no such folder, and no downloaded model: looked for ",
                looked.empty() ? "none, since HOME is not set" : looked);
}

}  // namespace tessera::inline TESSERA_ISA
