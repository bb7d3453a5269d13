// Which stored tensor fills which parameter, settled before the first number is read: everything that is missing, of
// the wrong shape or type, or left over is known by then.
#pragma once
#include <algorithm>
#include <string>
#include <tessera/checkpoint/folder.hpp>
#include <tessera/checkpoint/names.hpp>
#include <unordered_map>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Where a parameter comes from.
struct Source {
    Need need;
    const Checkpoint::Entry* entry = nullptr;
    Layout layout;
};

/// What becomes of each tensor of a checkpoint; every one is in exactly one of the lists.
struct Plan {
    struct Copy {
        Source copy, original;  // two tensors for one parameter
    };
    std::vector<Source> sources;          // one for each parameter, in the order of the model
    std::vector<std::string> used;        // tensors
    std::vector<Copy> copies;             // of used ones: a tied output layer that is stored beside the table of words
    std::vector<std::string> ignored;     // for purposes that the model does not have
    std::vector<std::string> unexpected;  // nobody knows what for
};

namespace detail {

[[noreturn]] inline void report_missing(Architecture architecture, const std::vector<const Need*>& missing,
                                        const std::vector<bool>& sections_seen, const Checkpoint& checkpoint) {
    const auto seen = [&](std::size_t section) { return bool{sections_seen[section]}; };
    const auto name = stored_name(architecture, missing.front()->path, seen);
    const std::size_t more = missing.size() - 1;
    throw Error(Errc::checkpoint_missing, in_quotes(name ? name->name : missing.front()->path),
                ": expected by the model that config.json describes, not found in ", checkpoint.place(),
                more == 0   ? std::string()
                : more == 1 ? ", like one other tensor"
                            : ", like " + std::to_string(more) + " other tensors");
}

inline void check_source(const Source& source, const Checkpoint& checkpoint) {
    const StoredTensor& tensor = *source.entry->tensor;
    const std::string file = source.entry->file->path().filename().string();
    if (!source.layout.fits(source.need, tensor.shape, tensor.size))
        throw Error(Errc::checkpoint_shape, in_quotes(tensor.name), ": expected ",
                    shape_text(source.layout.shape(source.need)), ", found ", shape_text(tensor.shape), " (", file,
                    "; the model's shapes are those of ", (checkpoint.folder() / "config.json").string(), ')');
    if (!is_weight(tensor.type))
        throw Error(Errc::checkpoint_type, in_quotes(tensor.name), ": expected F32, F16, BF16 or F64, found ",
                    name(tensor.type), " (", file, ')');
}

}  // namespace detail

/// Finds a tensor of `checkpoint` for each of `needs`.
/// errors  Errc::checkpoint_missing (the first in the order of the model, and how many more), Errc::checkpoint_shape,
///         Errc::checkpoint_type
/// cost    reads no weights
inline Plan plan_load(std::span<const Need> needs, const Checkpoint& checkpoint, Architecture architecture) {
    struct Candidate {
        Source source;
        std::size_t section = 0;
        bool fits() const {
            return source.layout.fits(source.need, source.entry->tensor->shape, source.entry->tensor->size);
        }
    };
    std::unordered_map<std::string_view, std::vector<Candidate>> candidates;
    std::unordered_map<std::string_view, const Need*> wanted;
    for (const Need& need : needs) wanted.emplace(need.path, &need);

    Plan plan;
    std::vector<bool> seen(std::max<std::size_t>(1, spelling::sections(architecture).size()), false);
    for (const Checkpoint::Entry& entry : checkpoint.tensors()) {
        bool is_wanted = false, may_stay = is_known_extra(architecture, entry.name());
        for (const Place& place : places(architecture, entry.name())) {
            seen[place.section] = true;
            may_stay = may_stay || place.optional;
            const auto need = wanted.find(place.path);
            if (need == wanted.end()) continue;
            is_wanted = true;
            auto& all = candidates[need->first];
            const Candidate candidate{{*need->second, &entry, place.layout}, place.section};
            if (all.empty() || all.back().source.entry != &entry)
                all.push_back(candidate);
            else if (candidate.fits() && !all.back().fits())  // EVA's and CLIP's class tokens: the shape decides
                all.back() = candidate;
        }
        if (!is_wanted) (may_stay ? plan.ignored : plan.unexpected).emplace_back(entry.name());
    }

    std::vector<const Need*> missing;
    std::unordered_map<const Checkpoint::Entry*, bool> is_used;  // or else a copy
    for (const Need& need : needs) {
        const auto found = candidates.find(need.path);
        if (found == candidates.end()) {
            missing.push_back(&need);
            continue;
        }
        auto& all = found->second;
        std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.section < b.section; });
        plan.sources.push_back(all.front().source);
        is_used[all.front().source.entry] = true;
        for (std::size_t i = 1; i < all.size(); ++i) {
            plan.copies.push_back({all[i].source, all.front().source});
            is_used.try_emplace(all[i].source.entry, false);
        }
    }
    if (!missing.empty()) detail::report_missing(architecture, missing, seen, checkpoint);
    for (const Source& source : plan.sources) detail::check_source(source, checkpoint);
    for (const Plan::Copy& copy : plan.copies) detail::check_source(copy.copy, checkpoint);
    for (const auto& [entry, used] : is_used)
        if (used) plan.used.emplace_back(entry->name());
    std::ranges::sort(plan.used);
    return plan;
}

}  // namespace tessera::inline TESSERA_ISA
