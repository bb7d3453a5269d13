// The numbers that a model is compiled for, beside those that a checkpoint has.
//
// A model has `static constexpr SomeConfig config`, or `configs`, a tuple, if it consists of several parts. Such a type
// has a `role` in messages, `visit(f)`, which names its members, and `read(model_config)`, which finds it in config.json.
// `static constexpr const char* model_type`, if a model has it, is the only one in config.json that it takes.
#pragma once
#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <tessera/core/activation.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/view.hpp>
#include <tuple>
#include <vector>

namespace tessera::inline TESSERA_ISA {

namespace detail {
/// A member as C++ writes it; without `code`, as a message does.
inline std::string member_text(Index x, bool) { return std::to_string(x); }
inline std::string member_text(bool x, bool) { return x ? "true" : "false"; }
inline std::string member_text(Activation x, bool code) { return (code ? "Activation::" : "") + std::string(name(x)); }
inline std::string member_text(float x, bool code) {
    char digits[32];
    std::string out(digits, std::to_chars(digits, digits + sizeof digits, x).ptr);  // the shortest that is this number
    if (code && out.find_first_of(".e") == out.npos) out += ".0";
    return out + (code ? "f" : "");
}
template <class Model>
constexpr auto configs_of() {
    if constexpr (requires { Model::configs; })
        return Model::configs;
    else
        return std::tuple(Model::config);
}
}  // namespace detail

/// Calls f with each config that `Model` is compiled for.
template <class Model>
void for_each_config(auto&& f) {
    std::apply([&](const auto&... config) { (f(config), ...); }, detail::configs_of<Model>());
}

/// Every number in which two configs differ: `width: expected 1408, found 1024`.
template <class Config>
std::vector<std::string> differences(const Config& expected, const Config& found) {
    std::vector<std::string> out;
    Config::visit([&](std::string_view name, auto Config::*member) {
        if (expected.*member != found.*member)
            out.push_back(std::string(name) + ": expected " + detail::member_text(expected.*member, false) +
                          ", found " + detail::member_text(found.*member, false));
    });
    return out;
}

/// A config as a line of C++: `VitConfig{.image = 56, .patch = 14, …}`; of flags and the like only those that are not as usual.
template <class Config>
std::string as_code(const Config& config) {
    std::string out = std::string(Config::type_name) + '{';
    const Config usual;
    Config::visit([&](std::string_view name, auto Config::*member) {
        const bool is_size = std::is_same_v<decltype(member), Index Config::*>;
        if (!is_size && config.*member == usual.*member) return;
        out +=
            (out.ends_with('{') ? "." : ", .") + std::string(name) + " = " + detail::member_text(config.*member, true);
    });
    return out + '}';
}

/// All that keeps `Model` from reading the checkpoint of that config.json; nothing if it fits.
template <class Model>
std::vector<std::string> mismatches(const auto& model_config) {
    std::vector<std::string> out;
    if constexpr (requires { Model::model_type; })
        if (model_config.model_type != Model::model_type)
            out.push_back("expected model_type " + in_quotes(Model::model_type) + ", found " +
                          in_quotes(model_config.model_type));
    for_each_config<Model>([&]<class Config>(const Config& compiled) {
        const std::string role(Config::role);
        const auto found = Config::read(model_config);
        if (!found)
            out.push_back("expected a model with " + role + ", found model_type " + in_quotes(model_config.model_type));
        else
            for (const std::string& what : differences(compiled, *found)) out.push_back(role + ' ' + what);
    });
    return out;
}

/// The same as the end of a sentence.
template <class Model>
std::string mismatch(const auto& model_config) {
    std::string out;
    for (const std::string& what : mismatches<Model>(model_config)) out += (out.empty() ? "" : "; ") + what;
    return out;
}

/// A model that a program is compiled for, and what the program calls it. Its list is a tuple of them:
/// ```cpp
/// constexpr std::tuple models{Compiled<Blip2Opt2_7b>{"blip2-opt-2.7b"}, Compiled<Blip2Tiny>{"tiny"}};
/// ```
template <class M>
struct Compiled {
    using Model = M;
    const char* name;
};

/// Calls f(compiled) for each of `models` until one call returns true; says whether one did.
template <class... M>
bool any_model(const std::tuple<Compiled<M>...>& models, auto&& f) {
    return std::apply([&](const auto&... model) { return (f(model) || ...); }, models);
}

/// Calls f(config) with what config.json says, for each kind of config that one of `models` has: once a kind.
void for_each_part(const auto& models, const auto& model_config, auto&& f) {
    std::vector<std::string_view> done;
    any_model(models, [&]<class M>(const Compiled<M>&) {
        for_each_config<M>([&]<class Config>(const Config&) {
            if (std::ranges::find(done, std::string_view(Config::type_name)) != done.end()) return;
            done.push_back(Config::type_name);
            if (const auto found = Config::read(model_config)) f(*found);
        });
        return false;
    });
}

}  // namespace tessera::inline TESSERA_ISA
