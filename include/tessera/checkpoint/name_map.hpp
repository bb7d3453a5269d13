// Our parameter paths ↔ the names that other people's checkpoints have for them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tessera/core/view.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A learned tensor of a model: its path, and its extents as rows and columns.
struct TensorSpec {
    std::string path;
    Index rows = 0, columns = 0;
    Index size() const { return rows * columns; }
    friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

/// What the extents of a stored tensor mean.
struct Layout {
    enum class Form : std::uint8_t {
        matrix,   // [rows, columns]
        vector,   // [columns]
        scalar,   // [], one number
        batched,  // [1, rows, columns]
        patches,  // [rows, 3, p, p]
        any,      // rows × columns numbers, under whatever extents
        zeros,    // the parameter is zeros wherever the file has this tensor
    };
    Form form = Form::any;
    int qkv_part = -1;  // 0, 1, 2: the parameter is that third of a fused projection

    /// The shape a file should have.
    std::vector<Index> shape(const TensorSpec& spec) const {
        const Index rows = (qkv_part < 0 ? 1 : 3) * spec.rows;
        Index p = 0;
        switch (form) {
            case Form::vector:
                return {rows * spec.columns};  // one row, or the three of a fused bias
            case Form::scalar:
                return {};
            case Form::batched:
                return {1, rows, spec.columns};
            case Form::patches:
                while (3 * p * p < spec.columns) ++p;
                return {rows, 3, p, p};
            default:
                return {rows, spec.columns};
        }
    }
    /// Whether a tensor of shape `found`, `size` elements in all, holds the parameter.
    bool fits(const TensorSpec& spec, std::span<const Index> found, Index size) const {
        if (form == Form::zeros) return true;
        if (form != Form::any) return std::ranges::equal(found, shape(spec));
        return size == spec.size() && (spec.rows == 1 || (!found.empty() && found[0] == spec.rows));
    }
    /// Elements of the tensor before the first of the parameter.
    Index offset(const TensorSpec& spec) const { return qkv_part < 0 ? 0 : qkv_part * spec.size(); }
};

/// What a line of a NameMap stands for.
enum class NameKind : std::uint8_t {
    // A name that ends in `_` takes `weight` and `bias` without a dot.
    linear,   // .weight, a matrix, and .bias
    norm,     // .weight and .bias (.gamma and .beta in old files), vectors
    patches,  // .weight, a convolution over three colours, and .bias
    query,    // .weight and .bias, the first third of the rows of a fused projection
    key,      //   the second
    value,    //   the last
    matrix,   // the tensor itself; also for those below
    vector,
    scalar,
    batched,  // a matrix after an extent of 1
    zeros,    // not stored: zeros where the file has this tensor
};

/// Our name and theirs; `#` stands for the number of a layer.
struct NameLine {
    std::string_view ours, theirs;
    NameKind kind;
    bool optional = false;    // a model without it may leave it in the file
    bool substitute = false;  // counts only where the file has no other tensor for the parameter
};

/// What other people call the parameters of a model. Without any line, they have our own names.
/// ```cpp
/// NameMap names;
/// names.add("decoder.", opt_names()).ignore({"*position_ids"});
/// ```
class NameMap {
  public:
    /// A parameter that a stored tensor stands for.
    struct Place {
        std::string path;
        Layout layout;
        std::size_t table = 0;    // that says so; where several tensors stand for one parameter, the first counts
        bool optional = false;    // a model without that parameter may leave it in the file
        bool substitute = false;  // counts only where there is no other
    };
    /// What a checkpoint calls a parameter.
    struct StoredName {
        std::string name;
        Layout layout;
    };

    /// Adds a table of names, which follow `ours` and `theirs`. `lines` must last as long as the map.
    NameMap& add(std::string_view ours, std::string_view theirs, std::span<const NameLine> lines) {
        tables_.push_back({std::string(ours), std::string(theirs), lines});
        return *this;
    }
    /// Adds the names of a part, whose parameters lie below `ours`.
    NameMap& add(std::string_view ours, const NameMap& part) {
        for (const Table& table : part.tables_) add(std::string(ours) + table.ours, table.theirs, table.lines);
        return *this;
    }
    /// Names that files have for purposes that the model does not have; `*` at either end stands for anything.
    NameMap& ignore(std::initializer_list<std::string_view> patterns) {
        ignored_.insert(ignored_.end(), patterns);
        return *this;
    }

    /// The same names for parameters that lie below `ours` in another model.
    NameMap below(std::string_view ours) const {
        NameMap out = *this;
        for (Table& table : out.tables_) table.ours.insert(0, ours);
        return out;
    }

    std::size_t tables() const { return tables_.size(); }

    /// The parameters that the stored tensor `name` stands for: none, one, or the three of a fused projection.
    std::vector<Place> places(std::string_view name) const {
        if (tables_.empty()) return {{std::string(name), {}}};
        std::vector<Place> out;
        for (std::size_t t = 0; t < tables_.size(); ++t) {
            const Table& table = tables_[t];
            if (!name.starts_with(table.theirs)) continue;
            for (const NameLine& line : table.lines)
                if (const auto holes = match(line.theirs, line.kind, name.substr(table.theirs.size())))
                    out.push_back({holes->fill(table.ours, line.ours), layout_of(line.kind, *holes), t, line.optional,
                                   line.substitute});
        }
        return out;
    }
    /// What a checkpoint calls the parameter at `path`, in the first table whose number `prefer` accepts, or else in the
    /// first that has it.
    std::optional<StoredName> stored_name(std::string_view path, auto&& prefer) const {
        if (tables_.empty()) return StoredName{std::string(path), {}};
        std::optional<StoredName> first, preferred;
        for_each_stored_name(path, [&](std::size_t table, StoredName name) {
            if (!preferred && prefer(table)) preferred = name;
            if (!first) first = std::move(name);
        });
        return preferred ? preferred : first;
    }
    /// All that checkpoints of one kind or another call the parameter at `path`, in the order of the tables.
    std::vector<StoredName> stored_names(std::string_view path) const {
        std::vector<StoredName> out;
        for_each_stored_name(path, [&](std::size_t, StoredName name) { out.push_back(std::move(name)); });
        return out;
    }
    /// Whether such checkpoints hold `name` for a purpose that the model does not have.
    bool ignores(std::string_view name) const {
        return std::ranges::any_of(ignored_, [&](std::string_view pattern) {
            const bool open_front = pattern.starts_with('*'), open_back = pattern.ends_with('*');
            if (open_front) pattern.remove_prefix(1);
            if (open_back) pattern.remove_suffix(1);
            if (open_front && open_back) return name.find(pattern) != name.npos;
            if (open_front) return name.ends_with(pattern);
            return open_back ? name.starts_with(pattern) : name == pattern;
        });
    }

  private:
    struct Table {
        std::string ours, theirs;
        std::span<const NameLine> lines;
    };
    /// What a name has where a line is open: the number of a layer, and an ending.
    struct Holes {
        std::string_view number, ending;

        std::string fill(std::string_view prefix, std::string_view pattern) const {
            std::string out(prefix);
            const auto hash = pattern.find('#');
            out += pattern.substr(0, hash);
            if (hash != pattern.npos) out.append(number).append(pattern.substr(hash + 1));
            return out.append(ending.substr(pattern.ends_with('_') && !ending.empty() ? 1 : 0));
        }
    };

    /// f(number of the table, name) for all that the parameter at `path` is called; without any table it has our own name.
    void for_each_stored_name(std::string_view path, auto&& f) const {
        if (tables_.empty()) return f(std::size_t{0}, StoredName{std::string(path), {}});
        for (std::size_t t = 0; t < tables_.size(); ++t) {
            const Table& table = tables_[t];
            if (!path.starts_with(table.ours)) continue;
            for (const NameLine& line : table.lines)
                if (const auto holes = match(line.ours, line.kind, path.substr(table.ours.size())))
                    f(t, StoredName{holes->fill(table.theirs, line.theirs), layout_of(line.kind, *holes)});
        }
    }
    static std::optional<Holes> match(std::string_view pattern, std::string_view name) {
        const auto hash = pattern.find('#');
        if (hash == pattern.npos) return pattern == name ? std::optional(Holes{}) : std::nullopt;
        const std::string_view front = pattern.substr(0, hash), back = pattern.substr(hash + 1);
        if (name.size() <= front.size() + back.size() || !name.starts_with(front) || !name.ends_with(back)) return {};
        const std::string_view number = name.substr(front.size(), name.size() - front.size() - back.size());
        const bool digits = std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
        if (!digits || number.size() > 6 || (number.size() > 1 && number[0] == '0')) return {};
        return Holes{number, {}};
    }
    /// Reads `name` by one side of a line of that kind.
    static std::optional<Holes> match(std::string_view pattern, NameKind kind, std::string_view name) {
        if (kind >= NameKind::matrix) return match(pattern, name);
        constexpr std::string_view endings[][2] = {
            {".weight", ".weight"}, {".bias", ".bias"}, {".gamma", ".weight"}, {".beta", ".bias"}};
        for (const auto& [dotted, ours] : std::span(endings).first(kind == NameKind::norm ? 4 : 2)) {
            const std::string_view theirs = dotted.substr(pattern.ends_with('_') ? 1 : 0);
            if (!name.ends_with(theirs)) continue;
            auto holes = match(pattern, name.substr(0, name.size() - theirs.size()));
            if (holes) holes->ending = ours;
            return holes;
        }
        return {};
    }
    static Layout layout_of(NameKind kind, const Holes& holes) {
        using Form = Layout::Form;
        if (kind == NameKind::batched) return {Form::batched};
        if (kind == NameKind::scalar) return {Form::scalar};
        if (kind == NameKind::zeros) return {Form::zeros};
        const bool is_vector = kind == NameKind::norm || kind == NameKind::vector || holes.ending == ".bias";
        const Form form = is_vector ? Form::vector : kind == NameKind::patches ? Form::patches : Form::matrix;
        const bool is_fused = kind >= NameKind::query && kind <= NameKind::value;
        return {form, is_fused ? static_cast<int>(kind) - static_cast<int>(NameKind::query) : -1};
    }

    std::vector<Table> tables_;
    std::vector<std::string_view> ignored_;
};

}  // namespace tessera::inline TESSERA_ISA
