// Texts of stage 2 in two parts: what is read, and what is to follow.
#pragma once
#include <algorithm>
#include <tessera/core/random_stream.hpp>
#include <tessera/train/data/tokenized_texts.hpp>

namespace tessera::inline TESSERA_ISA {

/// The prompts and texts of a Stage2Batch. Keeps its memory from batch to batch.
struct PromptedTexts {
    TokenizedTexts prompts, texts;

    /// The first `count` tokens of each text are its prompt; of a text that is not longer, all but the last. For OPT as in LAVIS:
    /// `count` is how many tokens the prompt has, </s> included, or 0 where there is none.
    void split_after(const TextBatch& whole, Index count) {
        clear();
        for (Index i = 0; i < whole.count(); ++i) {
            const auto at =
                static_cast<std::size_t>(std::clamp<Index>(count, 0, std::max<Index>(whole.length(i) - 1, 0)));
            prompts.push_back(whole[i].first(at));
            texts.push_back(whole[i].subspan(at));
        }
    }

    /// For T5: cuts each text in two where chance says, so that at least one word follows, or </s> where there is none; both parts
    /// end with the last token of the text, </s>. Which text it is, `items` say.
    /// source  Li 2023 (BLIP-2) §3.2: "randomly split a text into two parts"
    void split_at_random(const TextBatch& whole, std::span<const Index> items, std::uint64_t seed, Index epoch) {
        constexpr std::uint64_t use = 0x707265666978;  // "prefix"
        TESSERA_EXPECTS(std::ssize(items) == whole.count());
        clear();
        for (Index i = 0; i < whole.count(); ++i) {
            const std::span<const Token> ids = whole[i];
            TESSERA_EXPECTS(!ids.empty());
            const Index words = std::ssize(ids) - 1;
            const Index cut =
                RandomStream(seed, use, epoch, items[static_cast<std::size_t>(i)]).below(std::max<Index>(words, 1));
            push_cut(ids, cut);
        }
    }

    /// One more text of T5, cut after `cut` words: both parts end with its last token, </s>.
    void push_cut(std::span<const Token> ids, Index cut) {
        prompts.push_back(ids.first(static_cast<std::size_t>(cut)), ids.last(1));
        texts.push_back(ids.subspan(static_cast<std::size_t>(cut)));
    }
    void clear() {
        prompts.clear();
        texts.clear();
    }
};

}  // namespace tessera::inline TESSERA_ISA
