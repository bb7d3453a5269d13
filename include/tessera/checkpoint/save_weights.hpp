// A model's weights into a file, under the names that other people know them by.
#pragma once
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/save.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct SaveOptions {
    /// Which parameters to save, by their paths; all of them if not set.
    std::function<bool(std::string_view path)> saves = {};
    /// Which name to take where checkpoints of several kinds are known; the first, which is Hugging Face's, if not set. `names_in` takes
    /// those of a checkpoint.
    std::function<bool(std::string_view name, const std::vector<Index>& shape)> prefers = {};
    /// Texts about the file.
    std::map<std::string, std::string> notes = {{"format", "pt"}};  // as transformers expects
};

/// Whether a checkpoint has a tensor of that name and shape, for SaveOptions::prefers. The checkpoint must outlive it.
inline auto names_in(const Checkpoint& checkpoint) {
    return [&checkpoint](std::string_view name, const std::vector<Index>& shape) {
        const Checkpoint::Entry* const entry = checkpoint.find(name);
        return entry != nullptr && entry->tensor->shape == shape;
    };
}

namespace detail {

/// A tensor of the file, and the parameters that it consists of, one below the other.
struct TensorToSave {
    std::vector<const NamedLeaf*> parts;
    std::vector<Index> shape;
};

/// As what numbers of a parameter are stored: those of 8 bits as what they stand for.
inline DType dtype_to_save(const LeafRef& leaf) {
    const DType kept = leaf.matrix_dtype().value_or(DType::f32);
    return kept == DType::bf16 || kept == DType::f16 ? kept : DType::f32;
}

inline void write_rows(OutputFile& file, const LeafRef& leaf, DType type) {
    const Index columns = leaf.columns();
    std::vector<float> row(static_cast<std::size_t>(columns));
    std::vector<std::uint16_t> half(type == DType::f32 ? 0 : row.size());
    for (Index i = 0; i < leaf.rows(); ++i) {
        leaf.read(i, row.data());
        for (std::size_t k = 0; k < half.size(); ++k)
            half[k] = type == DType::bf16 ? to_bf16(row[k]).bits : to_f16(row[k]).bits;
        file.write(type == DType::f32 ? std::as_bytes(std::span(row)) : std::as_bytes(std::span(half)));
    }
}

inline std::optional<NameMap::StoredName> name_to_save(const NameMap& names, const TensorSpec& parameter,
                                                       const SaveOptions& options) {
    const std::vector<NameMap::StoredName> all = names.stored_names(parameter.path);
    if (all.empty()) return {};
    for (const NameMap::StoredName& name : all)
        if (options.prefers && options.prefers(name.name, name.layout.shape(parameter))) return name;
    return all.front();
}

inline void save_weights(std::span<const NamedLeaf> leaves, const NameMap& names, const std::filesystem::path& path,
                         const SaveOptions& options) {
    std::vector<std::string> order;
    std::map<std::string, TensorToSave, std::less<>> tensors;
    for (const NamedLeaf& parameter : leaves) {
        if (options.saves && !options.saves(parameter.path)) continue;
        const auto refuse = [&](const auto&... what) {
            throw Error(Errc::checkpoint_format, "saving ", in_quotes(parameter.path), ": ", what...);
        };
        const TensorSpec spec{parameter.path, parameter.leaf.rows(), parameter.leaf.columns()};
        const auto stored = name_to_save(names, spec, options);
        if (!stored) refuse("has no name in a checkpoint");
        const auto& [name, layout] = *stored;
        if (layout.form == Layout::Form::zeros) {  // its place is in the name of another parameter
            std::vector<float> row(static_cast<std::size_t>(parameter.leaf.columns()));
            for (Index i = 0; i < parameter.leaf.rows(); ++i) {
                parameter.leaf.read(i, row.data());
                if (std::ranges::any_of(row, [](float x) { return x != 0; }))
                    refuse("expected zeros, as such checkpoints do not store it, found other numbers");
            }
            continue;
        }
        TensorToSave& tensor = tensors[name];
        const auto part = static_cast<std::size_t>(std::max(layout.qkv_part, 0));
        if (tensor.parts.empty()) {
            order.push_back(name);
            tensor.parts.resize(layout.qkv_part < 0 ? 1 : 3);
            tensor.shape = layout.shape(spec);
        }
        if (part >= tensor.parts.size() || tensor.parts[part] != nullptr)
            refuse("another parameter is saved as ", in_quotes(name), " too");
        tensor.parts[part] = &parameter;
    }
    SafetensorsWriter writer;
    for (const auto& [key, text] : options.notes) writer.note(key, text);
    for (const std::string& name : order) {
        const TensorToSave& tensor = tensors.find(name)->second;
        for (const NamedLeaf* part : tensor.parts)
            if (part == nullptr)
                throw Error(Errc::checkpoint_format, "saving ", in_quotes(name),
                            ": expected queries, keys and values together, found only some of them");
        const DType type = dtype_to_save(tensor.parts.front()->leaf);
        writer.add(name, type, tensor.shape, [&tensor, type](OutputFile& file) {
            for (const NamedLeaf* part : tensor.parts) write_rows(file, part->leaf, type);
        });
    }
    writer.write(path);
}

/// Sets parameters to the tensors that `plan` has for them, each in the type that it is kept in. A tensor may have fewer rows or columns
/// than its parameter: the other numbers stay.
/// errors  Errc::checkpoint_value names the first number that is NaN or infinite
inline void read_planned(std::span<const NamedLeaf> leaves, const LoadPlan& plan, std::string_view role) {
    std::map<std::string_view, LeafRef> by_path;
    for (const auto& [path, leaf] : leaves) by_path.emplace(path, leaf);
    std::vector<float> values;
    for (const Match& match : plan.matches) {
        constexpr Index rows_together = 48;
        const LeafRef& leaf = by_path.at(match.spec.path);
        const Index rows = match.spec.rows, columns = match.spec.columns;
        values.assign(static_cast<std::size_t>(std::min(rows_together, leaf.rows()) * leaf.columns()), 0.0f);
        for (Index row = 0; row < rows; row += rows_together) {
            const Index count = std::min(rows_together, rows - row);
            if (columns < leaf.columns()) leaf.read(row, values.data());
            if (match.is_stored())
                to_floats(match.tensor().type, match.numbers(row * columns, count * columns).data(), count * columns,
                          values.data());
            if (const Index at = first_not_finite(values.data(), count * columns); at < count * columns)
                throw Error(Errc::checkpoint_value, Match::in_role(role), in_quotes(match.tensor().name), ": row ",
                            row + at / columns, ": expected finite numbers, found ",
                            values[static_cast<std::size_t>(at)], " (", match.file_name(), ')');
            leaf.write(row, values.data(), count);
        }
    }
}

/// Sets parameters to what save_weights has written.
inline void restore_weights(std::span<const NamedLeaf> leaves, const NameMap& names, const Checkpoint& checkpoint,
                            const std::function<bool(std::string_view path)>& saves) {
    std::vector<TensorSpec> specs;
    for (const auto& [path, leaf] : leaves) specs.push_back({path, leaf.rows(), leaf.columns()});
    read_planned(leaves, plan_load(specs, checkpoint, names, {.role = "", .has = saves}), "");
}

}  // namespace detail

/// Writes the parameters of `model` to the safetensors file `path`, in the layout of Hugging Face: what `load_weights` reads again to the same
/// bits. Matrices stay bf16 or f16 where they are kept so; those of 8 bits are written as the floats that they stand for.
/// errors  Errc::file_open where the file cannot be written whole: one that was there stays; Errc::checkpoint_format for parameters that
///         have no name, or share one
/// cost    a megabyte, whatever the size of the model
template <class Model>
void save_weights(const Model& model, const std::filesystem::path& path, const SaveOptions& options = {}) {
    const std::vector<NamedLeaf> leaves = leaves_of(model);
    detail::save_weights(leaves, names_of<Model>(), path, options);
}

}  // namespace tessera::inline TESSERA_ISA
