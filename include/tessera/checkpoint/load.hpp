// Weights from a checkpoint into a model, tensor by tensor, without ever holding two copies of the model.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/checkpoint/load_plan.hpp>
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/model/config.hpp>
#include <unordered_map>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct LoadOptions {
    /// How weights are kept: f32, bf16, f16 or i8. If not said: bf16 or f16 where all of them are stored so, or else f32.
    std::optional<DType> weight_dtype = {};
    /// Called every few dozen megabytes with how many bytes of how many have been read, and of which tensor.
    std::function<void(Index done, Index total, std::string_view tensor)> progress = {};
    /// Called with a sentence about tensors that the model has no place for.
    std::function<void(const std::string& warning)> warn = {};
};

/// What was done with each tensor of the checkpoint.
struct LoadReport : TensorUse {
    Index parameters = 0;  // numbers that the model has now
    Index bytes = 0;       // that were read
};

namespace detail {

/// Reads parameters as rows of floats, or of bf16 where they are stored so and are taken so: blocks of rows are converted
/// and handed on by all threads at once, straight from the mapped file; what has been read is given back.
class RowReader {
  public:
    RowReader(DType weight_dtype, std::function<void(Index, Index, std::string_view)> progress, Index total)
        : weight_dtype_(weight_dtype), progress_(std::move(progress)), total_(total) {}

    /// Writes all rows to `leaf`, each once, from several threads at once.
    /// errors  Errc::checkpoint_value names the first number that is NaN, infinite, or too large for `weight_dtype`
    void read(const Match& match, LeafRef leaf) {
        if (leaf.takes_bf16() && match.tensor().type == DType::bf16 && match.is_stored() &&
            (weight_dtype_ == DType::bf16 || weight_dtype_ == DType::f32))
            return read_as<bf16>(match, leaf);
        read_as<float>(match, leaf);
    }
    Index done() const { return done_; }

  private:
    static constexpr Index block_numbers = Index{1} << 17;  // converted at a time by one thread: stays in its cache
    static constexpr Index part_numbers = Index{1} << 23;   // between two reports of progress
    static constexpr Index rows_together = 48;              // a multiple of every panel's width: threads write apart

    template <class Number>
    void read_as(const Match& match, LeafRef leaf) {
        const Index rows = match.spec.rows, columns = match.spec.columns;
        const Index block = std::min(std::max(block_numbers / columns / rows_together, Index{1}) * rows_together, rows);
        const Index part = std::max(part_numbers / (block * columns), Index{1}) * block;
        buffers_.resize(static_cast<std::size_t>(kernel::threads()));
        const Index bytes = block * columns * Index{sizeof(Number)};
        for (Buffer<std::byte>& buffer : buffers_)
            if (buffer.size() < bytes) buffer = Buffer<std::byte>(bytes);
        for (Index first = 0; first < rows; first += part) {
            const Index count = std::min(part, rows - first);
            std::atomic<Index> bad = rows;  // the first block with a number that is none
            kernel::parallel_for_workers((count + block - 1) / block, [&](Index task, Index worker) {
                const Index begin = first + task * block, many = std::min(block, first + count - begin);
                auto* values = reinterpret_cast<Number*>(buffers_[static_cast<std::size_t>(worker)].data());
                convert(match, begin, many, values);
                if (first_not_finite(values, many * columns, weight_dtype_) < many * columns) {
                    Index least = bad;
                    while (begin < least && !bad.compare_exchange_weak(least, begin)) continue;
                } else {
                    leaf.write(begin, values, many);
                }
            });
            if (bad < rows) report(match, bad, std::min(block, rows - bad));
            if (match.is_stored()) {
                const auto read = match.numbers(first * columns, count * columns);
                match.file().forget(read);
                done_ += static_cast<Index>(read.size());
            }
            if (progress_) progress_(done_, total_, match.entry->name());
        }
        match.file().forget(match.tensor().bytes);  // pages that two parts share
    }

    static void convert(const Match& match, Index first, Index count, bf16* out) {
        const auto bytes = match.numbers(first * match.spec.columns, count * match.spec.columns);
        std::memcpy(out, bytes.data(), bytes.size());  // which need not be aligned
    }
    static void convert(const Match& match, Index first, Index count, float* out) {
        const Index columns = match.spec.columns;
        if (match.is_stored())
            to_floats(match.tensor().type, match.numbers(first * columns, count * columns).data(), count * columns,
                      out);
        else
            std::fill_n(out, count * columns, 0.0f);
    }

    /// Throws for the first number among these rows that is no weight.
    [[noreturn]] void report(const Match& match, Index first, Index count) const {
        const Index columns = match.spec.columns;
        std::vector<float> values(static_cast<std::size_t>(count * columns));
        convert(match, first, count, values.data());
        const Index at = first_not_finite(values.data(), count * columns, weight_dtype_);
        const Index row = (match.layout.offset(match.spec) + first * columns + at) / columns;
        throw Error(Errc::checkpoint_value, in_quotes(match.entry->name()), ": row ", row, ", column ", at % columns,
                    ": expected a finite number",
                    weight_dtype_ == DType::bf16  ? " of bfloat16"
                    : weight_dtype_ == DType::f16 ? " of float16"
                                                  : "",
                    ", found ", values[static_cast<std::size_t>(at)], " (", match.file_name(), ')');
    }

    DType weight_dtype_;
    std::function<void(Index, Index, std::string_view)> progress_;
    Index total_, done_ = 0;
    std::vector<Buffer<std::byte>> buffers_;  // one for each thread
};

/// errors  Errc::checkpoint_unexpected where a second tensor for the same parameter holds other numbers
inline void check_copies(const LoadPlan& plan) {
    for (const auto& [copy, original] : plan.pairs) {
        constexpr Index block = Index{1} << 18;
        std::vector<float> x(std::size_t{block}), y(std::size_t{block});
        for (Index first = 0; first < copy.spec.size(); first += block) {
            const Index n = std::min(block, copy.spec.size() - first);
            const auto a = copy.numbers(first, n), b = original.numbers(first, n);
            const DType type = copy.tensor().type, other = original.tensor().type;
            bool same = type == other && std::memcmp(a.data(), b.data(), a.size()) == 0;
            if (!same) {  // other types, or zeros of other signs
                to_floats(type, a.data(), n, x.data());
                to_floats(other, b.data(), n, y.data());
                same = std::equal(x.begin(), x.begin() + n, y.begin());
            }
            copy.file().forget(a);
            original.file().forget(b);
            if (!same)
                throw Error(Errc::checkpoint_unexpected, in_quotes(copy.tensor().name), ": expected the numbers of ",
                            in_quotes(original.tensor().name), ", which the model has in its place, found others (",
                            copy.file_name(), ')');
        }
    }
}

inline DType stored_dtype(std::span<const Match* const> matches) {
    for (const DType type : {DType::bf16, DType::f16})
        if (std::ranges::all_of(matches, [=](const Match* match) { return match->tensor().type == type; })) return type;
    return DType::f32;
}

}  // namespace detail

/// The learned tensors of a model, in the order in which `visit` names them.
std::vector<TensorSpec> tensor_specs(const auto& model) {
    std::vector<TensorSpec> specs;
    for (const auto& [path, leaf] : leaves_of(model)) specs.push_back({path, leaf.rows(), leaf.columns()});
    return specs;
}

/// What other people call its parameters: `Model::names()`; where there is none, they have our names.
template <class Model>
NameMap names_of() {
    if constexpr (requires { Model::names(); })
        return Model::names();
    else
        return {};
}

/// errors  Errc::config_unsupported where that config.json describes other shapes than those that `Model` is compiled for
template <class Model>
void require_config(const ModelConfig& config) {
    if (const std::string what = mismatch<Model>(config); !what.empty())
        throw Error(Errc::config_unsupported, config.file.string(),
                    ": not the shapes this model is compiled for: ", what);
}

namespace detail {

/// A checkpoint, and which of its tensors fill which parameters.
struct PlannedCheckpoint {
    const Checkpoint* checkpoint;
    LoadPlan plan;
};

/// Fills all of `leaves`, whose tensors are in one of `sources`.
inline LoadReport fill(std::span<const NamedLeaf> leaves, std::span<const PlannedCheckpoint> sources,
                       const LoadOptions& options) {
    if (options.weight_dtype && !is_weight_dtype(*options.weight_dtype))
        throw Error(Errc::option_value, "weight_dtype: expected F32, BF16, F16 or I8, found ",
                    name(*options.weight_dtype));
    LoadReport report;
    Index total = 0;
    std::unordered_map<std::string_view, const Match*> matches;
    for (const auto& [checkpoint, plan] : sources) {
        check_copies(plan);
        for (const Match& match : plan.matches) {
            matches.emplace(match.spec.path, &match);
            report.parameters += match.spec.size();
            if (match.is_stored()) total += match.spec.size() * bits(match.tensor().type) / 8;
        }
        report += plan;
    }
    std::vector<const Match*> order;
    for (const NamedLeaf& leaf : leaves) order.push_back(matches.at(leaf.path));
    const DType weight_dtype = options.weight_dtype.value_or(stored_dtype(order));
    detail::RowReader reader(weight_dtype, options.progress, total);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        leaves[i].leaf.allocate(weight_dtype);
        if (i + 1 < order.size() && order[i + 1]->is_stored())  // read from the disk meanwhile
            order[i + 1]->file().fetch(order[i + 1]->numbers(0, order[i + 1]->spec.size()));
        reader.read(*order[i], leaves[i].leaf);
    }
    report.bytes = reader.done();
    for (const auto& [checkpoint, plan] : sources)
        if (const std::string warning = plan.warning(); options.warn && !warning.empty())
            options.warn(checkpoint->place() + ": " + warning);
    return report;
}

}  // namespace detail

namespace detail {
/// As load_weights, where config.json has been compared already.
template <class Model>
LoadReport fill_from(Model& model, const Checkpoint& checkpoint, const LoadOptions& options) {
    const PlannedCheckpoint source{&checkpoint, plan_load(tensor_specs(model), checkpoint, names_of<Model>())};
    return fill(leaves_of(model), std::span(&source, 1), options);
}
}  // namespace detail

/// Fills all parameters of `model`. Nothing is touched unless every parameter has a tensor of its shape and a type that
/// can be weights. Where a config.json is beside the weights of a folder and describes such a model, it must describe this
/// one; otherwise, and of a file by itself, only shapes are compared, which do not tell heads, activations or eps.
/// errors  Errc::config_value, _unsupported; Errc::checkpoint_missing, _shape, _type, _unexpected (see plan_load), _value
///         (see RowReader); the model is half filled after the last. Errc::option_value for a weight_dtype that weights are
///         not kept in
/// cost    reads each byte once, on all threads; beyond the weights the pages being read, and for each thread half a
///         megabyte or 48 rows of floats
template <class Model>
LoadReport load_weights(Model& model, const Checkpoint& checkpoint, const LoadOptions& options = {}) {
    constexpr bool has_config = requires { Model::config; }
    || requires { Model::configs; };
    if constexpr (has_config) {
        if (!checkpoint.config_folder().empty()) {
            const ModelConfig config(checkpoint.config_folder());
            bool described = true;
            for_each_config<Model>([&]<class C>(const C&) { described = described && C::read(config); });
            if (described) require_config<Model>(config);
        }
    }
    return detail::fill_from(model, checkpoint, options);
}

}  // namespace tessera::inline TESSERA_ISA
