// What a caller may ask for: how texts are generated, which scores of pictures and texts, what a model is put together from.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tessera/core/dtype.hpp>
#include <tessera/core/error.hpp>
#include <tessera/core/token.hpp>
#include <tessera/core/view.hpp>
#include <type_traits>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// When beam search of a text ends although it could go on: never before there are as many finished texts as beams, and then
///     no      when the best running one, at its present length, scores no better than the worst finished one
///     yes     at once
///     never   as `no`, but with a positive length_penalty at the length of max_tokens
enum class EarlyStopping : char { no, yes, never };

/// Called with the new text of text `index` of a batch, whole characters at a time: f(text) or f(index, text). What
/// returns false ends that text; what returns nothing does not.
class OnText {
  public:
    OnText() = default;
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, OnText> &&
                 (std::invocable<F&, Index, std::string_view> || std::invocable<F&, std::string_view>))
    OnText(F&& f)
        : call_([f = std::forward<F>(f)](Index index, std::string_view text) mutable {
              const auto call = [&]() -> decltype(auto) {
                  if constexpr (std::invocable<std::decay_t<F>&, Index, std::string_view>)
                      return f(index, text);
                  else
                      return f(text);
              };
              if constexpr (std::is_void_v<decltype(call())>)
                  return call(), true;
              else
                  return static_cast<bool>(call());
          }) {}

    explicit operator bool() const { return static_cast<bool>(call_); }
    bool operator()(Index index, std::string_view text) const { return !call_ || text.empty() || call_(index, text); }

  private:
    std::function<bool(Index, std::string_view)> call_;
};

/// Names and defaults are those of transformers where it has the thing; `max_tokens` and `min_tokens` count new tokens.
struct GenerateOptions {
    std::string prompt = {};  // what the caption begins with, or "Question: … Answer:"
    Index max_tokens = 30;    // new tokens at most, the end included
    Index min_tokens = 0;     // before that many new tokens no end is chosen

    // Which text: the most likely token each time; or, with several beams, the most likely of the texts that are followed
    // at once; or one drawn by chance.
    Index beams = 1;
    Index n_best = 1;             // how many texts to return: at most `beams`, or as many draws
    float length_penalty = 1.0f;  // the score is Σ log p / length^length_penalty
    EarlyStopping early_stopping = EarlyStopping::no;
    bool sample = false;
    std::uint64_t seed = 0;    // the same draws on every machine and for every text of a batch
    float temperature = 1.0f;  // what is drawn from: log p / temperature
    Index top_k = 0;           // of these, the k most likely tokens; 0: all
    double top_p = 1.0;        // of these, the most likely ones that are together as likely as that
    double min_p = 0.0;        // of these, those that are at least that share as likely as the most likely one

    // How keys and values of the text are kept: f32, or bf16, which takes half the memory and rounds them.
    DType cache = DType::f32;

    // Scores s of tokens that occurred, prompt and placeholders included, become s > 0 ? s / p : s·p.
    float repetition_penalty = 1.0f;
    Index no_repeat_ngram = 0;                        // no sequence of that many tokens occurs twice; 0: any may
    std::vector<std::string> bad_words = {};          // that must not occur, at the beginning of a word or within
    std::vector<std::vector<Token>> bad_tokens = {};  // the same as sequences of tokens

    std::vector<Token> stop = {};                // tokens that end the text, beside the model's own
    std::vector<std::string> stop_strings = {};  // what ends the text, and is cut off it; it may begin in the prompt
    OnText on_text = {};                         // with several beams or texts: the best one, when it is known
};

/// errors  Errc::option_value names the option that is out of range
inline void require_valid(const GenerateOptions& o) {
    const auto require = [](bool valid, const char* what, auto expected, auto found) {
        if (!valid) throw Error(Errc::option_value, what, ": expected ", expected, ", found ", found);
    };
    require(o.max_tokens >= 0, "max_tokens", "0 or more", o.max_tokens);
    require(o.min_tokens >= 0, "min_tokens", "0 or more", o.min_tokens);
    require(o.min_tokens <= o.max_tokens, "min_tokens", "at most max_tokens = " + std::to_string(o.max_tokens),
            o.min_tokens);
    require(o.beams >= 1 && o.beams <= 1000, "beams", "1 to 1000", o.beams);
    require(!o.sample || o.beams == 1, "beams", "1 where texts are drawn by chance", o.beams);
    require(o.n_best >= 1 && o.n_best <= 1000, "n_best", "1 to 1000", o.n_best);
    require(o.sample || o.n_best <= o.beams, "n_best", "at most beams = " + std::to_string(o.beams), o.n_best);
    require(o.length_penalty >= -100.0f && o.length_penalty <= 100.0f, "length_penalty", "a number from -100 to 100",
            o.length_penalty);
    require(o.beams > 1 || o.early_stopping == EarlyStopping::no, "early_stopping", "no with one beam", "another");
    require(o.temperature >= 1e-4f && o.temperature <= 1e4f, "temperature", "a number from 0.0001 to 10000",
            o.temperature);
    require(o.top_k >= 0, "top_k", "0 or more", o.top_k);
    require(o.top_p >= 0.0 && o.top_p <= 1.0, "top_p", "a number from 0 to 1", o.top_p);
    require(o.min_p >= 0.0 && o.min_p <= 1.0, "min_p", "a number from 0 to 1", o.min_p);
    const bool draws = o.temperature != 1.0f || o.top_k != 0 || o.top_p != 1.0 || o.min_p != 0.0;
    require(o.sample || !draws, "sample", "true with temperature, top_k, top_p or min_p", "false");
    require(o.cache == DType::f32 || o.cache == DType::bf16, "cache", "F32 or BF16", name(o.cache));
    require(o.repetition_penalty >= 0.01f && o.repetition_penalty <= 100.0f, "repetition_penalty",
            "a number from 0.01 to 100", o.repetition_penalty);
    require(o.no_repeat_ngram >= 0, "no_repeat_ngram", "0 or more", o.no_repeat_ngram);
    for (const auto& word : o.bad_words) require(!word.empty(), "bad_words", "words", "an empty string");
    for (const auto& tokens : o.bad_tokens) require(!tokens.empty(), "bad_tokens", "tokens", "an empty sequence");
    for (const auto& text : o.stop_strings) require(!text.empty(), "stop_strings", "text", "an empty string");
}

/// Which scores a picture and a text are to have.
struct MatchOptions {
    bool itc = true, itm = true;  // which scores are wanted
    // A longer text is cut to so many tokens, [CLS] and [SEP] included: 32 in LAVIS, 35 where it retrieves. 0: it is not cut,
    // as in transformers, and one that is longer than the model's positions is an error.
    Index most_tokens = 0;
};

/// Where each part comes from: a checkpoint folder, a file of weights, or a name on the hub.
struct PartPaths {
    std::string vision;          // EVA-CLIP or CLIP, or a BLIP-2 that holds its own: `eva_vit_g.pth`
    std::string qformer;         // with its queries and all else that was trained: `blip2_pretrained_opt2.7b.pth`
    std::string language = {};   // `facebook/opt-2.7b`; none where the model has none
    std::string tokenizer = {};  // a folder with tokenizer files; empty: the language model's
};

}  // namespace tessera::inline TESSERA_ISA
