// Weights from a checkpoint into a model, tensor by tensor, without ever holding two copies of the model.
#pragma once
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <tessera/checkpoint/plan.hpp>
#include <tessera/core/visit.hpp>
#include <vector>

namespace tessera {

struct LoadOptions {
    Stored weights = Stored::f32;
    /// Is told, every few megabytes, how many bytes of how many have been read, and of which tensor.
    std::function<void(Index done, Index total, std::string_view tensor)> progress = {};
};

/// What was done with each tensor of the checkpoint.
struct Report {
    Index parameters = 0;  // numbers that the model has now
    Index bytes = 0;       // that were read
    std::vector<std::string> used;
    std::vector<std::string> copies;   // the same numbers again, under another name
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

namespace detail {

/// Reads a parameter as rows of floats, a few megabytes at a time, and gives the pages back.
class RowReader {
  public:
    RowReader(Stored stored, std::function<void(Index, Index, std::string_view)> progress, Index total)
        : stored_(stored), progress_(std::move(progress)), total_(total) {}

    /// errors  Errc::checkpoint_value names the first number that is NaN, infinite, or too large for `stored`
    void read(const Source& source, const std::function<void(Index first, const float* rows, Index count)>& write) {
        const auto [path, rows, columns] = source.need;
        const Index step = std::clamp(block / std::max<Index>(columns, 1) / 64 * 64, Index{1}, rows);
        if (rows * columns == 0) return;
        values_.resize(static_cast<std::size_t>(step * columns));
        if (source.layout.form == Layout::Form::zeros) std::ranges::fill(values_, 0.0f);
        const Index size = bits(source.entry->tensor->type) / 8;
        for (Index first = 0; first < rows; first += step) {
            const Index count = std::min(step, rows - first);
            if (source.layout.form != Layout::Form::zeros) {
                const auto part = source.entry->tensor->bytes.subspan(
                    static_cast<std::size_t>((source.layout.offset(source.need) + first * columns) * size),
                    static_cast<std::size_t>(count * columns * size));
                to_floats(source.entry->tensor->type, part.data(), count * columns, values_.data());
                check(source, first, count * columns);
                source.entry->file->file().forget(part);
                done_ += static_cast<Index>(part.size());
            }
            write(first, values_.data(), count);
            if (progress_) progress_(done_, total_, source.entry->name());
        }
        source.entry->file->file().forget(source.entry->tensor->bytes);  // pages that two blocks share
    }
    Index done() const { return done_; }

  private:
    static constexpr Index block = Index{1} << 20;  // floats at a time

    void check(const Source& source, Index first, Index count) const {
        const Index at = first_not_finite(values_.data(), count, stored_);
        if (at == count) return;
        const Index columns = source.need.columns;
        const Index row = (source.layout.offset(source.need) + first * columns + at) / columns;
        throw Error(Errc::checkpoint_value, in_quotes(source.entry->name()), ": row ", row, ", column ", at % columns,
                    ": expected a finite number", stored_ == Stored::bf16 ? " of bfloat16" : "", ", found ",
                    values_[static_cast<std::size_t>(at)], " (", source.entry->file->path().filename().string(), ')');
    }

    Stored stored_;
    std::function<void(Index, Index, std::string_view)> progress_;
    Index total_, done_ = 0;
    std::vector<float> values_;
};

/// errors  Errc::checkpoint_unexpected where a second tensor for the same parameter holds other numbers
inline void check_copies(const Plan& plan) {
    for (const auto& [copy, original] : plan.copies) {
        const StoredTensor& a = *copy.entry->tensor;
        const StoredTensor& b = *original.entry->tensor;
        constexpr Index block = Index{1} << 18;
        std::vector<float> x(std::size_t{block}), y(std::size_t{block});
        const Index count = copy.need.rows * copy.need.columns;
        const auto load = [&](const Source& source, Index first, Index n, float* out) {
            const StoredTensor& tensor = *source.entry->tensor;
            const Index size = bits(tensor.type) / 8;
            const auto part =
                tensor.bytes.subspan(static_cast<std::size_t>((source.layout.offset(source.need) + first) * size),
                                     static_cast<std::size_t>(n * size));
            to_floats(tensor.type, part.data(), n, out);
            source.entry->file->file().forget(part);
        };
        for (Index first = 0; first < count; first += block) {
            const Index n = std::min(block, count - first);
            load(copy, first, n, x.data());
            load(original, first, n, y.data());
            if (!std::equal(x.begin(), x.begin() + n, y.begin()))
                throw Error(Errc::checkpoint_unexpected, in_quotes(a.name), ": expected the numbers of ",
                            in_quotes(b.name), ", which the model has in its place, found others (",
                            copy.entry->file->path().filename().string(), ')');
        }
    }
}

}  // namespace detail

/// The parameters of a model, as `plan_load` takes them.
std::vector<Need> needs_of(const auto& model) {
    std::vector<Need> needs;
    for_each_parameter(model, [&](const std::string& path, const auto& leaf) {
        using Leaf = std::remove_cvref_t<decltype(leaf)>;
        if (Leaf::rows * Leaf::columns > 0) needs.push_back({path, Leaf::rows, Leaf::columns});
    });
    return needs;
}

/// Fills all parameters of `model`. Nothing is touched unless every parameter has a tensor of its shape and a type that
/// can be weights. Tensors are found under the names of Hugging Face and LAVIS where the model is one of those families
/// (see Architecture), or else under the model's own paths.
/// errors  Errc::checkpoint_missing, _shape, _type, _unexpected (see plan_load), _value (see RowReader); the model is
///         half filled after the last
/// cost    reads each byte once; 4 MB beyond the weights, and the pages being read
template <class Model>
Report load_weights(Model& model, const Checkpoint& checkpoint, const LoadOptions& options = {}) {
    const std::vector<Need> needs = needs_of(model);
    const Plan plan = plan_load(needs, checkpoint, architecture_of(needs));
    detail::check_copies(plan);

    Report report;
    Index total = 0;
    for (const Source& source : plan.sources) {
        const Index size = source.need.rows * source.need.columns;
        report.parameters += size;
        if (source.layout.form != Layout::Form::zeros) total += size * bits(source.entry->tensor->type) / 8;
    }
    detail::RowReader reader(options.weights, options.progress, total);
    auto source = plan.sources.begin();
    for_each_parameter(model, [&](const std::string&, auto& leaf) {
        using Leaf = std::remove_cvref_t<decltype(leaf)>;
        if constexpr (Leaf::rows * Leaf::columns > 0) {
            leaf.allocate(options.weights);
            reader.read(*source++,
                        [&](Index first, const float* rows, Index count) { leaf.write(first, rows, count); });
        }
    });
    report.bytes = reader.done();
    report.used = plan.used;
    for (const Plan::Copy& copy : plan.copies) report.copies.emplace_back(copy.copy.entry->name());
    report.ignored = plan.ignored;
    report.unexpected = plan.unexpected;
    return report;
}

}  // namespace tessera
