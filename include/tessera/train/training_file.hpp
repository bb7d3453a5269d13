// training.safetensors: what it takes beside the weights to go on with a training.
#pragma once
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tessera/checkpoint/convert.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/checkpoint/save.hpp>
#include <tessera/train/adamw.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// How far a run has come.
struct RunProgress {
    Index step = 0;  // steps that are done
    /// Whatever else it takes to go on with the same bits: seeds, positions of generators.
    std::map<std::string, std::uint64_t, std::less<>> counters = {};
};

/// The file as it is read: `exp_avg.PATH` and `exp_avg_sq.PATH` for each parameter that learns, and notes in its metadata.
class TrainingFile {
    static auto moments(auto& optimizer) {
        return std::array{std::pair(std::string("exp_avg."), optimizer.exp_avg()),
                          std::pair(std::string("exp_avg_sq."), optimizer.exp_avg_sq())};
    }
    static auto part_of(auto numbers, const LearningLeaf& leaf) {
        return numbers.subspan(static_cast<std::size_t>(leaf.first), static_cast<std::size_t>(leaf.size()));
    }

  public:
    /// errors  Errc::file_open; Errc::checkpoint_format where it is not whole, or no such file
    explicit TrainingFile(const std::filesystem::path& path) : file_(path) {
        progress_.step = number("step");
        optimizer_steps_ = number("optimizer_steps");
        const JsonFile counters(file_.note("counters"), path.string() + ": counters", Errc::checkpoint_format);
        for (const JsonValue counter : counters.root().object()) {
            const std::string digits = counter.shown();
            std::uint64_t value = 0;
            const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
            if (failed != std::errc{} || end != digits.data() + digits.size()) counter.expected("a whole number");
            progress_.counters.emplace(counter.key(), value);
        }
    }

    static void write(const std::filesystem::path& path, const RunProgress& progress, const std::string& settings,
                      const Gradients& gradients, const AdamW& optimizer) {
        SafetensorsWriter writer;
        Json counters = Json::object();
        for (const auto& [name, value] : progress.counters) counters[name] = value;
        writer.note("step", std::to_string(progress.step));
        writer.note("optimizer_steps", std::to_string(optimizer.steps()));
        writer.note("counters", counters.dump());
        writer.note("settings", settings);
        for (const LearningLeaf& leaf : gradients.leaves())
            for (const auto& [prefix, numbers] : moments(optimizer))
                writer.add(prefix + leaf.path, DType::f32, {leaf.leaf.rows(), leaf.leaf.columns()},
                           [part = part_of(numbers, leaf)](OutputFile& out) { out.write(std::as_bytes(part)); });
        writer.write(path);
    }

    const RunProgress& progress() const { return progress_; }

    /// Whether it is of the parameters that learn.
    /// errors  Errc::checkpoint_missing, Errc::checkpoint_shape, Errc::checkpoint_unexpected
    void require_fit(const Gradients& gradients, const AdamW& optimizer) const {
        const auto fail = [&](Errc code, const std::string& name, const auto&... parts) {
            throw Error(code, in_quotes(name), ": ", parts..., " (", file_.path().string(), ')');
        };
        std::vector<std::string> known;
        for (const LearningLeaf& leaf : gradients.leaves())
            for (const auto& [prefix, numbers] : moments(optimizer)) {
                const std::string& name = known.emplace_back(prefix + leaf.path);
                const StoredTensor* const tensor = file_.find(name);
                const std::vector<Index> shape{leaf.leaf.rows(), leaf.leaf.columns()};
                if (tensor == nullptr)
                    fail(Errc::checkpoint_missing, name,
                         "expected, as the parameter learns, found none: it was frozen");
                if (tensor->shape != shape || tensor->type != DType::f32)
                    fail(Errc::checkpoint_shape, name, "expected F32 ", shape_text(shape), ", found ",
                         tessera::name(tensor->type), ' ', shape_text(tensor->shape));
            }
        std::ranges::sort(known);
        for (const StoredTensor& tensor : file_.tensors())
            if (!std::ranges::binary_search(known, tensor.name))
                fail(Errc::checkpoint_unexpected, tensor.name, "the parameter learned, and is frozen now");
    }
    /// Sets the optimiser to what it was; after require_fit.
    void restore(const Gradients& gradients, AdamW& optimizer) const {
        for (const LearningLeaf& leaf : gradients.leaves())
            for (const auto& [prefix, numbers] : moments(optimizer))
                to_floats(DType::f32, file_.tensor(prefix + leaf.path).bytes.data(), leaf.size(),
                          part_of(numbers, leaf).data());
        optimizer.set_steps(optimizer_steps_);
    }

  private:
    Index number(const char* key) const {
        constexpr Index most = Index{1} << 53;
        return JsonFile(file_.note(key), file_.path().string() + ": " + key, Errc::checkpoint_format)
            .root()
            .whole(0, most);
    }

    Safetensors file_;
    RunProgress progress_;
    Index optimizer_steps_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
