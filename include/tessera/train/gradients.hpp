// The gradients of the parameters that learn.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tessera/core/leaf_ref.hpp>
#include <tessera/nn/record.hpp>
#include <unordered_map>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A parameter that learns, and where its gradient lies: Gradients::values()[first …], row by row.
struct LearningLeaf {
    std::string path;
    LeafRef leaf;
    Index first;

    Index size() const { return leaf.rows() * leaf.columns(); }
};

/// One number for each number that learns, in one array, in the order in which `visit` names the parameters. A Tape adds to
/// it, an optimiser reads it; what it has no place for is frozen. The model must outlive it, and not move.
/// ```cpp
/// Gradients gradients(model, [](std::string_view path) { return !path.starts_with("vision."); });
/// ```
/// errors  Errc::weight_unset where a parameter has no numbers yet
/// cost    4 bytes a number
class Gradients {
  public:
    using Learns = std::function<bool(std::string_view path)>;

    /// Of all parameters of `model`, or of those whose path `learns`.
    template <class Model>
    explicit Gradients(const Model& model, const Learns& learns = {}) {
        Index size = 0;
        for (NamedLeaf& named : leaves_of(model)) {
            if (learns && !learns(named.path)) continue;
            if (named.leaf.bytes() == 0)
                throw Error(Errc::weight_unset, "Gradients: '", named.path, "' has no numbers that could learn yet");
            leaves_.push_back({std::move(named.path), named.leaf, size});
            places_.emplace(named.leaf.id(), leaves_.size() - 1);
            size += leaves_.back().size();
        }
        values_ = Buffer<float>(size);
        clear();
    }

    std::span<const LearningLeaf> leaves() const { return leaves_; }
    std::span<float> values() { return {values_.data(), static_cast<std::size_t>(values_.size())}; }
    std::span<const float> values() const { return {values_.data(), static_cast<std::size_t>(values_.size())}; }

    /// The gradient of a parameter; null where it is frozen.
    float* find(LeafId leaf) {
        const auto place = places_.find(leaf);
        return place == places_.end() ? nullptr : values_.data() + leaves_[place->second].first;
    }
    bool learns(LeafId leaf) const { return places_.contains(leaf); }

    /// Sets all of them to 0.
    void clear() { std::fill_n(values_.data(), values_.size(), 0.0f); }

  private:
    std::vector<LearningLeaf> leaves_;
    std::unordered_map<LeafId, std::size_t> places_;
    Buffer<float> values_;
};

}  // namespace tessera::inline TESSERA_ISA
