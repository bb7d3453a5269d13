// Which stored tensor fills which parameter, settled before the first number is read: everything that is missing, of
// the wrong shape or type, or left over is known by then.
#pragma once
#include <algorithm>
#include <functional>
#include <string>
#include <tessera/checkpoint/folder.hpp>
#include <tessera/checkpoint/name_map.hpp>
#include <unordered_map>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A parameter, and the stored tensor that it comes from.
struct Match {
    TensorSpec spec;
    const Checkpoint::Entry* entry = nullptr;
    Layout layout;

    const StoredTensor& tensor() const { return *entry->tensor; }
    const MappedFile& file() const { return entry->file->file(); }
    /// The name of the file, for messages.
    std::string file_name() const { return entry->file->path().filename().string(); }
    bool is_stored() const { return layout.form != Layout::Form::zeros; }
    bool fits() const { return layout.fits(spec, tensor().shape, tensor().size); }
    /// Where `count` of its numbers lie, from `first` on.
    std::span<const unsigned char> numbers(Index first, Index count) const {
        const Index size = bits(tensor().type) / 8;
        return tensor().bytes.subspan(static_cast<std::size_t>((layout.offset(spec) + first) * size),
                                      static_cast<std::size_t>(count * size));
    }

    /// errors  Errc::checkpoint_shape, Errc::checkpoint_type
    void require_fit(const Checkpoint& checkpoint) const {
        if (!fits())
            throw Error(Errc::checkpoint_shape, in_quotes(tensor().name), ": expected ", shape_text(layout.shape(spec)),
                        ", found ", shape_text(tensor().shape), " (", file_name(), "; the model's shapes are those of ",
                        (checkpoint.folder() / "config.json").string(), ')');
        if (!is_weight(tensor().type))
            throw Error(Errc::checkpoint_type, in_quotes(tensor().name), ": expected F32, F16, BF16 or F64, found ",
                        name(tensor().type), " (", file_name(), ')');
    }
};

/// What becomes of each tensor of a checkpoint; every one is in exactly one of the lists.
struct TensorUse {
    std::vector<std::string> used;
    std::vector<std::string> copies;   // of used ones: a tied output layer that is stored beside the table of words
    std::vector<std::string> ignored;  // for purposes that the model does not have: other heads, CLIP's text side, …
    std::vector<std::string> unexpected;  // nobody knows what for

    /// One sentence on what is unexpected; empty if nothing is.
    std::string warning() const {
        if (unexpected.empty()) return {};
        constexpr std::size_t shown = 3;
        std::string out = "not used, since the model has no place for ";
        out += unexpected.size() == 1 ? "it: " : std::to_string(unexpected.size()) + " tensors: ";
        for (std::size_t i = 0; i < std::min(unexpected.size(), shown); ++i)
            out += (i == 0 ? "" : ", ") + in_quotes(unexpected[i]);
        return out + (unexpected.size() > shown ? ", …" : "");
    }
};

/// Where each parameter comes from.
struct LoadPlan : TensorUse {
    struct Pair {
        Match copy, original;  // two tensors for one parameter
    };
    std::vector<Match> matches;  // one for each parameter, in the order of the model
    std::vector<Pair> pairs;
};

/// Finds a tensor of `checkpoint` for each of `specs`.
/// errors  Errc::checkpoint_missing (the first in the order of the model, and how many more), Errc::checkpoint_shape,
///         Errc::checkpoint_type
/// cost    reads no weights
inline LoadPlan plan_load(std::span<const TensorSpec> specs, const Checkpoint& checkpoint, const NameMap& names) {
    struct Candidate {
        Match match;
        std::size_t table = 0;
        bool substitute = false;
    };
    std::unordered_map<std::string_view, std::vector<Candidate>> candidates;
    std::unordered_map<std::string_view, const TensorSpec*> wanted;
    for (const TensorSpec& spec : specs) wanted.emplace(spec.path, &spec);

    LoadPlan plan;
    std::vector<bool> seen(names.tables() + 1, false);
    for (const Checkpoint::Entry& entry : checkpoint.tensors()) {
        bool is_wanted = false, may_stay = names.ignores(entry.name());
        for (const NameMap::Place& place : names.places(entry.name())) {
            seen[place.table] = true;
            may_stay = may_stay || place.optional;
            const auto spec = wanted.find(place.path);
            if (spec == wanted.end()) continue;
            is_wanted = true;
            auto& all = candidates[spec->first];
            const Candidate candidate{{*spec->second, &entry, place.layout}, place.table, place.substitute};
            if (all.empty() || all.back().match.entry != &entry)
                all.push_back(candidate);
            else if (candidate.match.fits() && !all.back().match.fits())  // EVA's and CLIP's class tokens
                all.back() = candidate;
        }
        if (!is_wanted) (may_stay ? plan.ignored : plan.unexpected).emplace_back(entry.name());
    }

    std::vector<const TensorSpec*> missing;
    std::unordered_map<const Checkpoint::Entry*, bool> is_used;  // or else a copy
    for (const TensorSpec& spec : specs) {
        const auto found = candidates.find(spec.path);
        if (found == candidates.end()) {
            missing.push_back(&spec);
            continue;
        }
        auto& all = found->second;
        if (!std::ranges::all_of(all, &Candidate::substitute)) std::erase_if(all, std::mem_fn(&Candidate::substitute));
        std::ranges::stable_sort(all, {}, &Candidate::table);
        plan.matches.push_back(all.front().match);
        is_used[all.front().match.entry] = true;
        for (std::size_t i = 1; i < all.size(); ++i) {
            plan.pairs.push_back({all[i].match, all.front().match});
            plan.copies.emplace_back(all[i].match.entry->name());
            is_used.try_emplace(all[i].match.entry, false);
        }
    }
    if (!missing.empty()) {
        const std::string& path = missing.front()->path;
        const auto name = names.stored_name(path, [&](std::size_t table) { return bool{seen[table]}; });
        const std::size_t more = missing.size() - 1;
        throw Error(Errc::checkpoint_missing, in_quotes(name ? name->name : path),
                    ": expected by the model that config.json describes, not found in ", checkpoint.place(),
                    more == 0   ? std::string()
                    : more == 1 ? ", like one other tensor"
                                : ", like " + std::to_string(more) + " other tensors");
    }
    for (const Match& match : plan.matches) match.require_fit(checkpoint);
    for (const LoadPlan::Pair& pair : plan.pairs) pair.copy.require_fit(checkpoint);
    for (const auto& [entry, used] : is_used)
        if (used) plan.used.emplace_back(entry->name());
    std::ranges::sort(plan.used);
    return plan;
}

}  // namespace tessera::inline TESSERA_ISA
