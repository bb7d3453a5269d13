// Our parameter paths ↔ the names that checkpoints have for them.
#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <tessera/checkpoint/layout.hpp>
#include <tessera/checkpoint/spellings.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A parameter that a stored tensor stands for.
struct Place {
    std::string path;
    Layout layout;
    std::size_t section = 0;  // that says so; where several tensors stand for one parameter, the first counts
    bool optional = false;    // a model without that parameter may leave it in the file
};

/// What a checkpoint calls a parameter.
struct StoredName {
    std::string name;
    Layout layout;
};

namespace spelling {

/// What a name has where its pattern is open: the number of a layer, and an ending.
struct Holes {
    std::string_view number, ending;

    std::string fill(std::string_view prefix, std::string_view pattern) const {
        std::string out(prefix);
        const auto hash = pattern.find('#');
        out += pattern.substr(0, hash);
        if (hash != pattern.npos) out.append(number).append(pattern.substr(hash + 1));
        return out.append(ending);
    }
};

inline std::optional<Holes> match(std::string_view pattern, std::string_view name) {
    const auto hash = pattern.find('#');
    if (hash == pattern.npos) return pattern == name ? std::optional(Holes{}) : std::nullopt;
    const std::string_view front = pattern.substr(0, hash), back = pattern.substr(hash + 1);
    if (name.size() <= front.size() + back.size() || !name.starts_with(front) || !name.ends_with(back)) return {};
    const std::string_view number = name.substr(front.size(), name.size() - front.size() - back.size());
    const bool digits = std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || number.size() > 6 || (number.size() > 1 && number[0] == '0')) return {};
    return Holes{number, {}};
}

/// Reads `name` by one side of a line of that kind. Old files call the weight and the bias of a norm gamma and beta.
inline std::optional<Holes> match(std::string_view pattern, Kind kind, std::string_view name) {
    if (kind >= Kind::matrix) return match(pattern, name);
    struct Ending {
        std::string_view theirs, ours;
    };
    constexpr Ending endings[] = {
        {".weight", ".weight"}, {".bias", ".bias"}, {".gamma", ".weight"}, {".beta", ".bias"}};
    for (const Ending& ending : std::span(endings).first(kind == Kind::norm ? 4 : 2)) {
        if (!name.ends_with(ending.theirs)) continue;
        name.remove_suffix(ending.theirs.size());
        auto holes = match(pattern, name);
        if (holes) holes->ending = ending.ours;
        return holes;
    }
    return {};
}

constexpr Layout layout(Kind kind, const Holes& holes) {
    using Form = Layout::Form;
    const bool bias = holes.ending == ".bias";
    switch (kind) {
        case Kind::linear:
            return {bias ? Form::vector : Form::matrix};
        case Kind::patches:
            return {bias ? Form::vector : Form::patches};
        case Kind::query:
        case Kind::key:
        case Kind::value:
            return {bias ? Form::vector : Form::matrix, static_cast<int>(kind) - static_cast<int>(Kind::query)};
        case Kind::matrix:
            return {Form::matrix};
        case Kind::batched:
            return {Form::batched};
        case Kind::zeros:
            return {Form::zeros};
        case Kind::norm:
        case Kind::vector:
            break;
    }
    return {Form::vector};
}

/// Whether one of `patterns`, in which `*` at either end stands for anything, is `name`.
inline bool matches_any(std::span<const std::string_view> patterns, std::string_view name) {
    return std::ranges::any_of(patterns, [&](std::string_view pattern) {
        const bool open_front = pattern.starts_with('*'), open_back = pattern.ends_with('*');
        if (open_front) pattern.remove_prefix(1);
        if (open_back) pattern.remove_suffix(1);
        if (open_front && open_back) return name.find(pattern) != name.npos;
        if (open_front) return name.ends_with(pattern);
        return open_back ? name.starts_with(pattern) : name == pattern;
    });
}

}  // namespace spelling

/// The parameters that the stored tensor `name` stands for: none, one, or the three of a fused projection.
inline std::vector<Place> places(Architecture architecture, std::string_view name) {
    if (architecture == Architecture::own) return {{std::string(name), {}}};
    std::vector<Place> out;
    const auto sections = spelling::sections(architecture);
    for (std::size_t s = 0; s < sections.size(); ++s) {
        if (!name.starts_with(sections[s].theirs)) continue;
        for (const spelling::Line& line : sections[s].lines)
            if (const auto holes = spelling::match(line.theirs, line.kind, name.substr(sections[s].theirs.size())))
                out.push_back(
                    {holes->fill(sections[s].ours, line.ours), spelling::layout(line.kind, *holes), s, line.optional});
    }
    return out;
}

/// What a checkpoint calls the parameter at `path`, in the first section whose number `prefer` accepts, or else in the
/// first that has it.
inline std::optional<StoredName> stored_name(Architecture architecture, std::string_view path, auto&& prefer) {
    if (architecture == Architecture::own) return StoredName{std::string(path), {}};
    std::optional<StoredName> first;
    const auto sections = spelling::sections(architecture);
    for (std::size_t s = 0; s < sections.size(); ++s) {
        if (!path.starts_with(sections[s].ours)) continue;
        for (const spelling::Line& line : sections[s].lines) {
            const auto holes = spelling::match(line.ours, line.kind, path.substr(sections[s].ours.size()));
            if (!holes) continue;
            StoredName name{holes->fill(sections[s].theirs, line.theirs), spelling::layout(line.kind, *holes)};
            if (prefer(s)) return name;
            if (!first) first = std::move(name);
        }
    }
    return first;
}

/// Whether such checkpoints hold `name` for a purpose that the model does not have.
inline bool is_known_extra(Architecture architecture, std::string_view name) {
    return architecture != Architecture::own && (spelling::matches_any(spelling::common_extras, name) ||
                                                 spelling::matches_any(spelling::beside(architecture), name));
}

/// The family that a model with these parameters belongs to.
inline Architecture architecture_of(std::span<const Need> needs) {
    const auto has = [&](std::string_view path) { return std::ranges::find(needs, path, &Need::path) != needs.end(); };
    if (has("vision.patch_embedding.weight") && has("projection.weight")) return Architecture::blip2;
    if (has("patch_embedding.weight") && has("class_token")) return Architecture::vit;
    if (has("queries") && has("norm.weight")) return Architecture::qformer;
    if (has("embedding.weight") && has("position")) return Architecture::opt;
    return Architecture::own;
}

}  // namespace tessera::inline TESSERA_ISA
