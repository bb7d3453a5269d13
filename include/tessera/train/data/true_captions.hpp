// Which captions are true of which pictures.
#pragma once
#include <algorithm>
#include <cstdint>
#include <tessera/core/split_mix.hpp>
#include <tessera/train/data/caption_file.hpp>
#include <tessera/train/data/tokenized_texts.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// A caption is true of a picture if a row with the picture's id has it, or one whose tokens are the same. Contrast shares targets
/// among what is true of each other, matching takes none of it as a negative, and retrieval counts it as found.
/// cost    made once by sorting; 24 bytes a caption; a question is a binary search
class TrueCaptions {
  public:
    /// `texts` are the tokens of file.captions(), one for one.
    TrueCaptions(const CaptionFile& file, const TokenizedTexts& texts) {
        std::vector<std::pair<std::uint64_t, Index>> by_hash;  // what has the same tokens stands together
        for (Index i = 0; i < texts.count(); ++i) {
            std::uint64_t hash = 0;
            for (const Token id : texts[i]) hash = split_mix(hash ^ static_cast<std::uint64_t>(id));
            by_hash.emplace_back(hash, i);
        }
        std::ranges::sort(by_hash);
        text_.resize(by_hash.size());
        for (std::size_t i = 0; i < by_hash.size(); ++i) {
            const Index caption = by_hash[i].second;
            Index& text = text_[static_cast<std::size_t>(caption)] = caption;
            for (std::size_t j = i; text == caption && j-- > 0 && by_hash[j].first == by_hash[i].first;)
                if (std::ranges::equal(texts[by_hash[j].second], texts[caption])) text = text_of(by_hash[j].second);
        }
        for (Index row = 0; row < file.size(); ++row)
            for (Index i = 0; i < file[row].captions; ++i)
                pairs_.emplace_back(file[row].image_id, text_of(file[row].first_caption + i));
        std::ranges::sort(pairs_);
    }

    /// Whether the caption, a number of CaptionFile::captions(), is true of the pictures with that id.
    bool operator()(Index image_id, Index caption) const {
        return std::ranges::binary_search(pairs_, std::pair{image_id, text_of(caption)});
    }

  private:
    Index text_of(Index caption) const { return text_[static_cast<std::size_t>(caption)]; }

    std::vector<Index> text_;                     // of each caption, one that has the same tokens
    std::vector<std::pair<Index, Index>> pairs_;  // an id, a text: in order
};

}  // namespace tessera::inline TESSERA_ISA
