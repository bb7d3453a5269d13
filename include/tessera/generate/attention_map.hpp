// Where in the picture each word of a caption comes from.
#pragma once
#include <algorithm>
#include <string>
#include <tessera/image/heat_map.hpp>
#include <tessera/model/vit/positions.hpp>
#include <tessera/nn/attention_probabilities.hpp>
#include <tessera/text/tokenizer.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Listens while a caption is made, of one picture and one token at a time: a word looks at queries (the language model's
/// attention to the soft prompt, the mean of its heads and layers), and a query at patches (the Q-Former's cross-attention,
/// likewise).
/// ```cpp
/// AttentionMap map(32);
/// Scratch listening(map);
/// const auto words = caption(blip2, picture, {}, listening);
/// write_png("map.png", map.draw(picture, *blip2.processor.tokenizer, words.tokens));
/// ```
/// source  Abnar 2020 (attention rollout), across the one joint between the two models
class AttentionMap : public Recorder {
  public:
    explicit AttentionMap(Index queries) : queries_(queries) {}

    using Recorder::on;
    void on(const AttendOp& op) override {
        if (part_ != Part::other) probabilities_.on(op);
    }
    /// The names of intermediate values say which part of the model is at work.
    void on(const Named& named) override {
        if (named.name == "pixel_values") {
            aspect_ = static_cast<float>(named.rows) / 3 / static_cast<float>(named.width);
        } else if (named.name == "qformer.embeddings") {
            part_ = Part::qformer;
            patches_.clear();
            words_.clear();
        } else if (named.name == "qformer.layer") {
            if (attentions_ == 2) add(patches_, seen_);  // the second one of a layer looks at the picture
        } else if (named.name == "language_projection") {
            part_ = Part::language;
        } else if (named.name == "decoder.layer" && part_ == Part::language) {
            add(word_, seen_);  // the last one of a layer looks at the soft prompt
        } else if (named.name == "decoder.last_hidden_state" && part_ == Part::language) {
            words_.push_back(std::move(word_));
            word_.clear();
        }
        attentions_ = 0;
    }

    /// How much each patch counts for token `i` of the caption.
    /// shape   → [patches], the class token left out
    /// units   sums to 1
    /// errors  Errc::option_value where nothing was heard of that token
    std::vector<float> patches(std::size_t i) const {
        const auto queries = static_cast<std::size_t>(queries_), places = patches_.size() / queries;
        if (i >= words_.size() || words_[i].size() != queries || places < 2)
            throw Error(Errc::option_value, "AttentionMap: expected a caption of ", i + 1, " tokens, heard of ",
                        words_.size());
        std::vector<float> out(places - 1);
        float sum = 0;
        for (std::size_t q = 0; q < queries; ++q)
            for (std::size_t p = 1; p < places; ++p) {
                out[p - 1] += words_[i][q] * patches_[q * places + p];
                sum += words_[i][q] * patches_[q * places + p];
            }
        for (float& weight : out) weight /= sum > 0 ? sum : 1.0f;
        return out;
    }

    /// The picture, and beside it for each word of the caption the picture with the word's map over it.
    /// errors  as patches
    Image draw(const Image& picture, const Tokenizer& tokenizer, std::span<const Token> tokens) const {
        struct Panel {
            std::string label;
            std::vector<float> weights;
        };
        std::vector<Panel> panels;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (!tokenizer.has(tokens[i]) || tokenizer.is_special(tokens[i])) continue;
            std::string text;
            tokenizer.detokenize(tokens[i], i == 0, text);
            const auto begin = text.find_first_not_of(" \n");
            if (begin == text.npos) continue;
            const auto now = patches(i);
            if (begin > 0 || panels.empty()) {
                panels.push_back({text.substr(begin), now});
            } else {  // a word of several tokens
                panels.back().label += text;
                for (std::size_t p = 0; p < now.size(); ++p) panels.back().weights[p] += now[p];
            }
        }
        if (panels.empty()) throw Error(Errc::option_value, "AttentionMap: expected a caption with words, found none");
        const Grid grid = this->grid(static_cast<Index>(panels[0].weights.size()));
        constexpr Index side = 224, gap = 8, line = 16, across = 6;
        const Index count = static_cast<Index>(panels.size()) + 1, width = side * grid.width / grid.height;
        Image out((count + across - 1) / across * (side + gap + line) + gap,
                  std::min(count, across) * (width + gap) + gap);
        std::fill_n(out.pixels.data(), out.pixels.size(), static_cast<unsigned char>(32));
        for (Index i = 0; i < count; ++i) {
            const Panel* const panel = i == 0 ? nullptr : &panels[static_cast<std::size_t>(i - 1)];
            const Index top = gap + i / across * (side + gap + line), left = gap + i % across * (width + gap);
            const Image map = panel == nullptr
                                  ? resize(picture, side, width)
                                  : heat_map(picture, {panel->weights.data(), {grid.height, grid.width}}, side);
            for (Index y = 0; y < side; ++y) std::copy_n(map.row(y), 3 * width, out.row(top + y) + 3 * left);
            write_text(out, top + side + 4, left, panel == nullptr ? "" : panel->label);
        }
        return out;
    }

  private:
    enum class Part { other, qformer, language };

    /// Rows and columns of so many square patches.
    Grid grid(Index patches) const {
        const auto rows = std::max<Index>(std::lround(std::sqrt(static_cast<float>(patches) * aspect_)), 1);
        return {rows, patches / rows};
    }
    static void add(std::vector<float>& sums, const std::vector<float>& more) {
        sums.resize(std::max(sums.size(), more.size()));
        for (std::size_t i = 0; i < more.size(); ++i) sums[i] += more[i];
    }
    /// Keeps the mean of the heads: of the Q-Former all queries, of the language model the last row's view of the soft prompt.
    void hear(View<const float, dyn, dyn, dyn> p) {
        ++attentions_;
        const bool all = part_ == Part::qformer;
        const Index first = all ? 0 : p.extent(1) - 1, keys = all ? p.extent(2) : std::min(queries_, p.extent(2));
        seen_.assign(static_cast<std::size_t>((p.extent(1) - first) * keys), 0.0f);
        for (Index head = 0; head < p.extent(0); ++head)
            for (Index row = first; row < p.extent(1); ++row)
                for (Index key = 0; key < keys; ++key)
                    seen_[static_cast<std::size_t>((row - first) * keys + key)] += p(head, row, key);
    }

    Index queries_;
    AttentionProbabilities probabilities_{[this](const AttendOp&, View<const float, dyn, dyn, dyn> p) { hear(p); }};
    Part part_ = Part::other;
    float aspect_ = 1;                       // height over width of what the image encoder saw
    int attentions_ = 0;                     // since the last name
    std::vector<float> seen_;                // the last of them
    std::vector<float> patches_;             // [queries, patches + 1], summed over layers
    std::vector<float> word_;                // [queries], of the token that is being made
    std::vector<std::vector<float>> words_;  // of each token
};

}  // namespace tessera::inline TESSERA_ISA
