// What it costs to keep weights in fewer bits: a model beside the same one with other weights, on the same pictures.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <tessera/generate/caption.hpp>
#include <tessera/mask/catalog/causal.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What a model makes of a picture: every value that has a name, in the order of computing, and the scores of each new token.
struct ModelRun {
    struct Value {
        std::string name;
        std::vector<float> numbers;
    };
    std::vector<Value> values;
    std::vector<Token> tokens;               // that were chosen
    std::vector<std::vector<float>> logits;  // [tokens][vocabulary]
};

namespace detail {

/// Keeps every value that has a name; of a name that comes again what came first.
class KeepValues : public Recorder {
  public:
    explicit KeepValues(ModelRun& run) : run_(run) {}
    using Recorder::on;
    void on(const Named& named) override {
        std::string name = named.path();
        const auto is = [&](const ModelRun::Value& value) { return value.name == name; };
        if (std::ranges::none_of(run_.values, is))
            run_.values.push_back({std::move(name), {named.values, named.values + named.rows * named.width}});
    }

  private:
    ModelRun& run_;
};

}  // namespace detail

/// Describes a picture greedily, and records it. With `forced` tokens the model reads these, whatever it would choose: so that two
/// models score the same text.
/// errors  as captions
/// cost    that of a caption without an early end, and a copy of every value
template <class Model>
ModelRun run_model(const Pipeline<Model>& blip2, const Image& image, const std::string& prompt, Index tokens,
                   std::span<const Token> forced = {}) {
    using Language = decltype(blip2.model.language);
    constexpr Index width = Language::embedding_width, queries = decltype(blip2.model.qformer)::config.queries;
    const auto& language = blip2.model.language;
    ModelRun run;
    detail::KeepValues recorder(run);
    Scratch s(recorder);
    const auto frame = s.frame();
    const auto soft = s.rows<width>(queries);
    Caption::Seconds seconds;
    detail::read_picture(soft, blip2.model, blip2.processor.preprocess, image, seconds, s);
    const std::vector<Token> ids = blip2.processor.prompt_ids(prompt, queries);
    const Prompt<width> begin{soft, ids};
    if (!forced.empty()) tokens = std::ssize(forced);
    auto texts = language.begin({&begin, 1}, tokens, s);
    auto& cache = texts.front().cache;
    ConstRows<width> rows = texts.front().rows;
    const auto next = s.rows<width>(1);
    std::vector<Index> places;
    for (Index step = 0, place = 0; step < tokens; ++step) {
        const auto step_frame = s.frame();
        places.clear();
        for (Index i = 0; i < rows.extent(0); ++i) places.push_back(place++);
        const Causal causal = Causal::after(cache.length);
        const Continuation<typename Language::Cache> text{&cache, rows.extent(0), causal, places};
        const auto states = language.append(rows, {&text, 1}, s);
        const auto scores = language.logits(states.slice(rows.extent(0) - 1, 1), s);
        run.logits.emplace_back(scores.begin(), scores.end());
        const Token best = static_cast<Token>(std::max_element(scores.begin(), scores.end()) - scores.begin());
        run.tokens.push_back(forced.empty() ? best : forced[static_cast<std::size_t>(step)]);
        language.embedding.into(next, {&run.tokens.back(), 1}, s);
        rows = next;
    }
    return run;
}

/// How far two models are from each other, over all runs that were added.
class WeightComparison {
  public:
    /// Of one value, relative to the root mean square of the exact one.
    struct Difference {
        std::string name;
        double largest, rms;
    };

    /// Adds a run of the exact model, and one of the other that was forced to its tokens.
    void add(const ModelRun& exact, const ModelRun& other) {
        TESSERA_EXPECTS(exact.tokens.size() == other.tokens.size() && exact.values.size() == other.values.size());
        for (std::size_t i = 0; i < exact.values.size(); ++i)
            add(exact.values[i].name, exact.values[i].numbers, other.values[i].numbers);
        for (std::size_t i = 0; i < exact.logits.size(); ++i) {
            const auto &a = exact.logits[i], &b = other.logits[i];
            add("logits", a, b);
            const auto best = [](const std::vector<float>& x) { return std::ranges::max_element(x) - x.begin(); };
            same_ += best(a) == best(b) ? 1 : 0;
            ++tokens_;
        }
    }

    /// In the order of computing; `logits` are the last.
    std::vector<Difference> differences() const {
        std::vector<Difference> out;
        for (const Sum& sum : sums_) {
            const double size = std::sqrt(sum.squares / sum.count);
            out.push_back({sum.name, sum.largest / size, std::sqrt(sum.error_squares / sum.count) / size});
        }
        return out;
    }
    /// Tokens that were scored, and those of them that both models would have chosen.
    Index tokens() const { return tokens_; }
    Index same_tokens() const { return same_; }

  private:
    struct Sum {
        std::string name;
        double squares = 0, error_squares = 0, largest = 0, count = 0;
    };

    void add(const std::string& name, std::span<const float> exact, std::span<const float> other) {
        auto sum = std::ranges::find(sums_, name, &Sum::name);
        if (sum == sums_.end()) sum = sums_.insert(sums_.end(), {.name = name});
        for (std::size_t i = 0; i < exact.size(); ++i) {
            const double x{exact[i]}, error = double{other[i]} - x;
            sum->squares += x * x;
            sum->error_squares += error * error;
            sum->largest = std::max(sum->largest, std::abs(error));
        }
        sum->count += static_cast<double>(exact.size());
    }

    std::vector<Sum> sums_;
    Index tokens_ = 0, same_ = 0;
};

}  // namespace tessera::inline TESSERA_ISA
