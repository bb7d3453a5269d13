// Settings of transformers' generate(), as golden runs have them, as options; and runs compared.
#pragma once
#include <doctest/doctest.h>

#include <tessera/core/json.hpp>
#include <tessera/generate/generation.hpp>
#include <tessera/generate/options.hpp>

namespace tessera::test {

inline GenerateOptions options_of(const Json& settings) {
    GenerateOptions out;
    for (const auto& entry : settings.items()) {
        const std::string& name = entry.key();
        const Json& value = entry.value();
        if (name == "max_new_tokens")
            out.max_tokens = value;
        else if (name == "min_new_tokens")
            out.min_tokens = value;
        else if (name == "num_beams")
            out.beams = value;
        else if (name == "num_return_sequences")
            out.n_best = value;
        else if (name == "length_penalty")
            out.length_penalty = value;
        else if (name == "repetition_penalty")
            out.repetition_penalty = value;
        else if (name == "no_repeat_ngram_size")
            out.no_repeat_ngram = value;
        else if (name == "early_stopping")
            out.early_stopping = value == "never" ? EarlyStopping::never
                                 : value == true  ? EarlyStopping::yes
                                                  : EarlyStopping::no;
        else if (name == "bad_words_ids")
            out.bad_tokens = value.get<std::vector<std::vector<Token>>>();
        else if (name == "stop_strings")
            out.stop_strings = value.get<std::vector<std::string>>();
        else if (name == "do_sample")
            REQUIRE(value == false);
        else
            FAIL("no option for the setting " << name);
    }
    return out;
}

/// Compares text number `index` of a golden run, the best first, with what it gave: the same tokens, and with beams the
/// same scores. The reference's tokens lack what cannot be told from filling: `padding` that was generated last.
inline void check_run(const Json& run, std::size_t index, std::span<const Generation> found, Token padding = -1) {
    for (std::size_t k = 0; k < found.size(); ++k) {
        CAPTURE(k);
        const std::size_t row = index * found.size() + k;
        auto tokens = found[k].tokens;
        while (found[k].finish == Finish::length && !tokens.empty() && tokens.back() == padding) tokens.pop_back();
        CHECK(tokens == run["new_tokens"][row].get<std::vector<Token>>());
        if (run.contains("ended_by_eos"))
            CHECK((found[k].finish == Finish::end) == run["ended_by_eos"][row].get<bool>());
        if (run.contains("scores"))
            CHECK(found[k].score == doctest::Approx(run["scores"][row].get<double>()).epsilon(1e-4));
    }
}

}  // namespace tessera::test
