// Beam search: the most likely of several texts that are followed at once.
#pragma once
#include <tessera/generate/search.hpp>
#include <tessera/kernel/row/softmax.hpp>

namespace tessera::inline TESSERA_ISA {

/// Follows `beams` texts after one prompt. Each step looks at the K = max(2, 1 + number of ends) · beams likeliest
/// continuations of all of them. Those that end are finished texts if they are among the first `beams`; of those that do
/// not, the first `beams` go on. Rules about scores act on logarithms of probabilities, after the softmax.
/// source  transformers 5 _beam_search; a text of a batch is searched as if it were alone, and continuations that rules
///         forbid (score −∞) are never taken
class BeamSearch : public TokenSearch {
  public:
    BeamSearch(const SearchRules& rules, std::span<const Token> seen)
        : rules_(rules),
          beams_(static_cast<std::size_t>(rules.options.beams)),
          candidates_most_(beams_ * static_cast<std::size_t>(std::max<Index>(2, 1 + rules.end_count()))),
          prompt_(seen.size()) {
        const std::size_t most = seen.size() + static_cast<std::size_t>(rules.options.max_tokens);
        for (auto* beams : {&running_, &next_}) {
            beams->resize(beams_);
            for (Beam& beam : *beams) beam.seen.reserve(most);
        }
        spare_.seen.reserve(most);
        running_[0].seen.assign(seen.begin(), seen.end());
        candidates_.reserve(candidates_most_ + 1);
        branches_.reserve(beams_);
        finished_.reserve(beams_ + 1);
    }

    std::span<const Branch> advance(float* scores, Index vocabulary, Scratch&) override {
        const auto rows = static_cast<Index>(count_);
        kernel::log_softmax(scores, scores, rows, vocabulary);
        const Index length = made_ + 1;
        candidates_.clear();
        for (std::size_t row = 0; row < count_; ++row) {
            const std::span<float> now(scores + static_cast<Index>(row) * vocabulary,
                                       static_cast<std::size_t>(vocabulary));
            logits::require_numbers(now.first(1));  // NaN fills its row
            rules_.process(now, running_[row].seen, made_);
            collect(now, row);
        }
        std::size_t kept = 0;
        branches_.clear();
        for (std::size_t i = 0; i < candidates_.size(); ++i) {
            const Candidate& candidate = candidates_[i];
            // Where this continuation goes if it does not end; what ends is overwritten by the next.
            Beam& beam = kept < beams_ ? next_[kept] : spare_;
            const std::vector<Token>& seen = running_[candidate.row].seen;
            beam.seen.assign(seen.begin(), seen.end());
            beam.seen.push_back(candidate.token);
            beam.sum = candidate.sum;
            if (const auto why = rules_.finish(beam.seen, length)) {
                if (i < beams_) finish(beam, length, *why);
            } else if (kept < beams_) {
                branches_.push_back({static_cast<Index>(candidate.row), candidate.token});
                ++kept;
            }
        }
        std::swap(running_, next_);
        count_ = kept;
        made_ = length;
        if (count_ == 0 && finished_.empty()) detail::none_allowed();
        if (count_ == 0 || !can_improve()) branches_.clear();
        return branches_;
    }

    std::vector<Generation> results() override {
        std::vector<Generation> out(std::make_move_iterator(finished_.begin()),
                                    std::make_move_iterator(finished_.end()));
        out.resize(std::min(out.size(), static_cast<std::size_t>(rules_.options.n_best)));
        return out;
    }

  private:
    struct Beam {
        std::vector<Token> seen;
        float sum = 0;  // of logarithms of probabilities
    };
    struct Candidate {
        float sum;
        std::size_t row;
        Token token;
    };

    /// Puts what follows `row` among the best continuations; of equals, those that came first stay first.
    void collect(std::span<const float> scores, std::size_t row) {
        for (std::size_t token = 0; token < scores.size(); ++token) {
            const float sum = scores[token] + running_[row].sum;
            const bool full = candidates_.size() == candidates_most_;
            if (sum == logits::forbidden || (full && !(sum > candidates_.back().sum))) continue;
            if (full) candidates_.pop_back();
            const auto place = std::upper_bound(candidates_.begin(), candidates_.end(), sum,
                                                [](float a, const Candidate& b) { return a > b.sum; });
            candidates_.insert(place, {sum, row, static_cast<Token>(token)});
        }
    }
    void finish(const Beam& beam, Index length, Finish why) {
        const float score = rules_.score(beam.sum, length);
        if (full() && !(score > finished_.back().score)) return;
        if (full()) finished_.pop_back();
        const auto place = std::upper_bound(finished_.begin(), finished_.end(), score,
                                            [](float a, const Generation& b) { return a > b.score; });
        finished_.insert(place,
                         {{beam.seen.begin() + static_cast<std::ptrdiff_t>(prompt_), beam.seen.end()}, score, why});
    }
    bool full() const { return finished_.size() == beams_; }
    bool can_improve() const {
        if (!full()) return true;
        const GenerateOptions& o = rules_.options;
        if (o.early_stopping == EarlyStopping::yes) return false;
        const bool longest = o.early_stopping == EarlyStopping::never && o.length_penalty > 0;
        return rules_.score(running_[0].sum, longest ? o.max_tokens : made_) > finished_.back().score;
    }

    const SearchRules& rules_;
    std::size_t beams_, candidates_most_, prompt_;
    std::vector<Beam> running_, next_;
    Beam spare_;
    std::size_t count_ = 1;  // of running texts
    Index made_ = 0;         // their new tokens
    std::vector<Candidate> candidates_;
    std::vector<Branch> branches_;
    std::vector<Generation> finished_;  // the best first
};

}  // namespace tessera::inline TESSERA_ISA
