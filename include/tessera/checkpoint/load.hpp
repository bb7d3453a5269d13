// Weights from a checkpoint into a model, tensor by tensor, without ever holding two copies of the model.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <tessera/checkpoint/plan.hpp>
#include <tessera/core/visit.hpp>
#include <tessera/kernel/parallel.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

struct LoadOptions {
    DType weights = DType::f32;
    /// Is told, every few dozen megabytes, how many bytes of how many have been read, and of which tensor.
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

/// Reads parameters as rows of floats, or of bf16 where they are stored so and are taken so: blocks of rows are converted
/// and handed on by all threads at once, straight from the mapped file; what has been read is given back.
class RowReader {
  public:
    RowReader(DType stored, std::function<void(Index, Index, std::string_view)> progress, Index total)
        : stored_(stored), progress_(std::move(progress)), total_(total) {}

    /// Writes all rows to `leaf`, each once, from several threads at once.
    /// errors  Errc::checkpoint_value names the first number that is NaN, infinite, or too large for `stored`
    template <Leaf L>
    void read(const Source& source, L& leaf) {
        if constexpr (requires(const bf16* rows) { leaf.write(Index{}, rows, Index{}); })
            if (source.entry->tensor->type == DType::bf16 && source.layout.form != Layout::Form::zeros)
                return read_as<bf16>(source, leaf);
        read_as<float>(source, leaf);
    }
    Index done() const { return done_; }

    /// Has the system read all of it from the disk, beside whatever is done meanwhile.
    static void fetch(const Source& source) {
        if (source.layout.form != Layout::Form::zeros)
            source.entry->file->file().fetch(bytes_of(source, 0, source.need.rows));
    }

  private:
    static constexpr Index block_numbers = Index{1} << 17;  // converted at a time by one thread: stays in its cache
    static constexpr Index part_numbers = Index{1} << 23;   // between two reports of progress
    static constexpr Index rows_together = 48;              // a multiple of every panel's width: threads write apart

    template <class Number>
    void read_as(const Source& source, auto& leaf) {
        const Index rows = source.need.rows, columns = source.need.columns;
        if (rows * columns == 0) return;
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
                convert(source, begin, many, values);
                if (first_not_finite(values, many * columns, stored_) < many * columns) {
                    Index least = bad;
                    while (begin < least && !bad.compare_exchange_weak(least, begin)) continue;
                } else {
                    leaf.write(begin, values, many);
                }
            });
            if (bad < rows) report(source, bad, std::min(block, rows - bad));
            if (source.layout.form != Layout::Form::zeros) {
                source.entry->file->file().forget(bytes_of(source, first, count));
                done_ += static_cast<Index>(bytes_of(source, first, count).size());
            }
            if (progress_) progress_(done_, total_, source.entry->name());
        }
        source.entry->file->file().forget(source.entry->tensor->bytes);  // pages that two parts share
    }

    static std::span<const unsigned char> bytes_of(const Source& source, Index first, Index count) {
        const Index columns = source.need.columns, size = bits(source.entry->tensor->type) / 8;
        return source.entry->tensor->bytes.subspan(
            static_cast<std::size_t>((source.layout.offset(source.need) + first * columns) * size),
            static_cast<std::size_t>(count * columns * size));
    }
    static void convert(const Source& source, Index first, Index count, bf16* out) {
        const auto bytes = bytes_of(source, first, count);
        std::memcpy(out, bytes.data(), bytes.size());  // which need not be aligned
    }
    static void convert(const Source& source, Index first, Index count, float* out) {
        if (source.layout.form == Layout::Form::zeros)
            std::fill_n(out, count * source.need.columns, 0.0f);
        else
            to_floats(source.entry->tensor->type, bytes_of(source, first, count).data(), count * source.need.columns,
                      out);
    }

    /// Throws for the first number among these rows that is no weight.
    [[noreturn]] void report(const Source& source, Index first, Index count) const {
        const Index columns = source.need.columns;
        std::vector<float> values(static_cast<std::size_t>(count * columns));
        convert(source, first, count, values.data());
        const Index at = first_not_finite(values.data(), count * columns, stored_);
        const Index row = (source.layout.offset(source.need) + first * columns + at) / columns;
        throw Error(Errc::checkpoint_value, in_quotes(source.entry->name()), ": row ", row, ", column ", at % columns,
                    ": expected a finite number", stored_ == DType::bf16 ? " of bfloat16" : "", ", found ",
                    values[static_cast<std::size_t>(at)], " (", source.entry->file->path().filename().string(), ')');
    }

    DType stored_;
    std::function<void(Index, Index, std::string_view)> progress_;
    Index total_, done_ = 0;
    std::vector<Buffer<std::byte>> buffers_;  // one for each thread
};

/// errors  Errc::checkpoint_unexpected where a second tensor for the same parameter holds other numbers
inline void check_copies(const Plan& plan) {
    for (const auto& [copy, original] : plan.copies) {
        const StoredTensor& a = *copy.entry->tensor;
        const StoredTensor& b = *original.entry->tensor;
        constexpr Index block = Index{1} << 18;
        std::vector<float> x(std::size_t{block}), y(std::size_t{block});
        const Index count = copy.need.rows * copy.need.columns;
        for (Index first = 0; first < count; first += block) {
            const Index n = std::min(block, count - first);
            const auto part_of = [&](const Source& source) {
                const StoredTensor& tensor = *source.entry->tensor;
                const Index size = bits(tensor.type) / 8;
                return tensor.bytes.subspan(
                    static_cast<std::size_t>((source.layout.offset(source.need) + first) * size),
                    static_cast<std::size_t>(n * size));
            };
            const auto part_a = part_of(copy), part_b = part_of(original);
            bool same = a.type == b.type && std::memcmp(part_a.data(), part_b.data(), part_a.size()) == 0;
            if (!same) {  // other types, or zeros of other signs
                to_floats(a.type, part_a.data(), n, x.data());
                to_floats(b.type, part_b.data(), n, y.data());
                same = std::equal(x.begin(), x.begin() + n, y.begin());
            }
            copy.entry->file->file().forget(part_a);
            original.entry->file->file().forget(part_b);
            if (!same)
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
/// cost    reads each byte once, on all threads; beyond the weights the pages being read, and for each thread half a
///         megabyte or 48 rows of floats
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
            const Source& now = *source++;
            if (source != plan.sources.end()) reader.fetch(*source);
            reader.read(now, leaf);
        }
    });
    report.bytes = reader.done();
    report.used = plan.used;
    for (const Plan::Copy& copy : plan.copies) report.copies.emplace_back(copy.copy.entry->name());
    report.ignored = plan.ignored;
    report.unexpected = plan.unexpected;
    return report;
}

}  // namespace tessera::inline TESSERA_ISA
