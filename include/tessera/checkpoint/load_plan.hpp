// Which stored tensor fills which parameter, settled before the first number is read: everything that is missing, of
// the wrong shape or type, or left over is known by then.
#pragma once
#include <algorithm>
#include <functional>
#include <map>
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
    void require_fit(const Checkpoint& checkpoint, std::string_view role) const {
        const std::string named = in_role(role) + in_quotes(tensor().name);
        if (!fits())
            throw Error(Errc::checkpoint_shape, named, ": expected ", shape_text(layout.shape(spec)), ", found ",
                        shape_text(tensor().shape), " (", file_name(),
                        checkpoint.config_folder().empty()
                            ? ")"
                            : "; the model's shapes are those of " +
                                  (checkpoint.config_folder() / "config.json").string() + ')');
        if (!is_weight(tensor().type))
            throw Error(Errc::checkpoint_type, named, ": expected F32, F16, BF16 or F64, found ", name(tensor().type),
                        " (", file_name(), ')');
    }
    /// The beginning of a sentence about that part of a model.
    static std::string in_role(std::string_view role) { return role.empty() ? "" : std::string(role) + ": "; }
};

/// What becomes of each tensor of a checkpoint; every one is in exactly one of the lists.
struct TensorUse {
    std::vector<std::string> used;
    std::vector<std::string> copies;   // of used ones: a tied output layer that is stored beside the table of words
    std::vector<std::string> ignored;  // for purposes that the model does not have: other heads, CLIP's text side, …
    std::vector<std::string> unexpected;  // nobody knows what for
    std::string spare_layers;  // what there are more of than the model has: `the first 39 of 40 layers of 'blocks' are
                               // used`; they are among the ignored ones

    TensorUse& operator+=(const TensorUse& other) {
        for (const auto list : {&TensorUse::used, &TensorUse::copies, &TensorUse::ignored, &TensorUse::unexpected})
            (this->*list).insert((this->*list).end(), (other.*list).begin(), (other.*list).end());
        if (!other.spare_layers.empty()) spare_layers += (spare_layers.empty() ? "" : "; ") + other.spare_layers;
        return *this;
    }
    /// One sentence on what is unexpected; empty if nothing is.
    std::string warning() const {
        if (unexpected.empty()) return spare_layers;
        constexpr std::size_t shown = 3;
        std::string out =
            spare_layers + (spare_layers.empty() ? "" : "; ") + "not used, since the model has no place for ";
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

/// The part of a model that a checkpoint fills.
struct LoadPart {
    std::string role;                                     // in messages: `Q-Former`; empty for the whole model
    std::function<bool(std::string_view path)> has = {};  // whether a parameter belongs to it; if not set, all do
};

namespace detail {

/// The list of layers that a path leads through, and which of them: `blocks.7.norm1.weight`.
struct LayerPath {
    std::string_view list, rest;
    Index number = -1;  // there is none

    explicit LayerPath(std::string_view path) {
        for (std::size_t at = 0; (at = path.find('.', at)) != path.npos; ++at) {
            const std::size_t end = path.find('.', at + 1);
            if (end == path.npos) return;
            const std::string_view digits = path.substr(at + 1, end - at - 1);
            constexpr std::size_t most_digits = 6;
            const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
            if (digits.empty() || digits.size() > most_digits || !std::ranges::all_of(digits, is_digit)) continue;
            list = path.substr(0, at);
            rest = path.substr(end);
            number = 0;
            for (const char digit : digits) number = 10 * number + (digit - '0');
            return;
        }
    }
    std::string first() const { return std::string(list) + ".0" + std::string(rest); }
};

/// How many layers of each list there are.
class LayerCounts {
  public:
    void add(std::string_view path) {
        const LayerPath layer(path);
        if (layer.number < 0) return;
        Index& count = counts_[std::string(layer.list)];
        count = std::max(count, layer.number + 1);
    }
    Index of(std::string_view list) const {
        const auto found = counts_.find(list);
        return found == counts_.end() ? 0 : found->second;
    }
    const auto& all() const { return counts_; }

  private:
    std::map<std::string, Index, std::less<>> counts_;
};

}  // namespace detail

/// Finds a tensor of `checkpoint` for each of `specs` that belongs to `part`. Layers after the model's last may stay in the file:
/// BLIP-2 uses 39 of EVA-CLIP's 40.
/// errors  Errc::checkpoint_missing (the first in the order of the model, how many more, and how many layers there are),
///         Errc::checkpoint_shape, Errc::checkpoint_type
/// cost    reads no weights
inline LoadPlan plan_load(std::span<const TensorSpec> specs, const Checkpoint& checkpoint, const NameMap& names,
                          const LoadPart& part = {}) {
    struct Candidate {
        Match match;
        std::size_t table = 0;
        bool substitute = false;
    };
    std::unordered_map<std::string_view, std::vector<Candidate>> candidates;
    std::unordered_map<std::string_view, const TensorSpec*> wanted;
    const auto is_part = [&](std::string_view path) { return !part.has || part.has(path); };
    detail::LayerCounts layers, found_layers;
    for (const TensorSpec& spec : specs)
        if (is_part(spec.path)) wanted.emplace(spec.path, &spec), layers.add(spec.path);

    LoadPlan plan;
    std::vector<bool> seen(names.tables() + 1, false);
    for (const Checkpoint::Entry& entry : checkpoint.tensors()) {
        bool is_wanted = false, may_stay = names.ignores(entry.name());
        for (const NameMap::Place& place : names.places(entry.name())) {
            seen[place.table] = true;
            may_stay = may_stay || place.optional || !is_part(place.path);
            const auto spec = wanted.find(place.path);
            const detail::LayerPath layer(place.path);
            if (spec != wanted.end() || (layer.number >= layers.of(layer.list) && wanted.contains(layer.first())))
                found_layers.add(place.path), may_stay = true;
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
        if (!is_part(spec.path)) continue;
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
        std::string how_many = more == 0   ? std::string()
                               : more == 1 ? ", like one other tensor"
                                           : ", like " + std::to_string(more) + " other tensors";
        const detail::LayerPath layer(path);
        if (const Index found = found_layers.of(layer.list); layer.number >= found && layer.number >= 0)
            how_many += "; the model has " + std::to_string(layers.of(layer.list)) + " layers there, the file " +
                        std::to_string(found);
        throw Error(Errc::checkpoint_missing, Match::in_role(part.role), in_quotes(name ? name->name : path),
                    checkpoint.config_folder().empty()
                        ? ": expected by the model, not found in "
                        : ": expected by the model that config.json describes, not found in ",
                    checkpoint.place(), how_many);
    }
    for (const auto& [list, found] : found_layers.all())
        if (const Index used = layers.of(list); found > used)
            plan.spare_layers += (plan.spare_layers.empty() ? "" : "; ") + Match::in_role(part.role) + "the first " +
                                 std::to_string(used) + " of " + std::to_string(found) + " layers of " +
                                 in_quotes(list) + " are used";
    for (const Match& match : plan.matches) match.require_fit(checkpoint, part.role);
    for (const LoadPlan::Pair& pair : plan.pairs) pair.copy.require_fit(checkpoint, part.role);
    for (const auto& [entry, used] : is_used)
        if (used) plan.used.emplace_back(entry->name());
    std::ranges::sort(plan.used);
    return plan;
}

}  // namespace tessera::inline TESSERA_ISA
