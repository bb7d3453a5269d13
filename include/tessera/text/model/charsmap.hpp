// SentencePiece's compiled table of characters: what a model's text is normalized with, NFKC and more, as a trie.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/text/unicode.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Replaces characters by what the table has for them.
/// source  SentencePiece's `precompiled_charsmap`: the size of a Darts double array in bytes, the array, and the
///         replacements, each ended by a zero byte; searched as the tokenizers library does
class Charsmap {
  public:
    /// errors  tokenizer_format, headed by `where`, if the sizes contradict each other or the replacements are not
    /// UTF-8
    Charsmap(std::string_view bytes, std::string_view where) {
        if (bytes.size() < 4)
            throw Error(Errc::tokenizer_format, where, ": the table of characters breaks off after ", bytes.size(),
                        " bytes");
        const std::size_t size = word(bytes);
        bytes.remove_prefix(4);
        if (size > bytes.size() || size % 4 != 0 || size == 0)
            throw Error(Errc::tokenizer_format, where, ": the table of characters says that its index has ", size,
                        " bytes; expected a multiple of 4, at most the ", bytes.size(), " that follow");
        for (std::size_t at = 0; at < size; at += 4) units_.push_back(word(bytes.substr(at)));
        replacements_ = bytes.substr(size);
        expect_utf8(replacements_, std::string(where) + ": the replacements of the table of characters",
                    Errc::tokenizer_format);
        for (std::size_t c = 0; c < plain_.size(); ++c) plain_[c] = !replacement(std::string(1, static_cast<char>(c)));
    }

    std::string normalize(std::string_view text) const {
        std::string out;
        out.reserve(text.size());
        for_each_grapheme(text, [&](std::string_view cluster) {
            if (cluster.size() == 1 && plain_[static_cast<std::size_t>(cluster.front())]) {
                out += cluster.front();
                return;
            }
            // A short cluster is replaced as a whole, even if the table has only its beginning: what is left is lost.
            // So it is in the reference, and a model was trained on what the reference makes of its text.
            constexpr std::size_t short_cluster = 6;
            if (cluster.size() < short_cluster)
                if (const auto found = replacement(cluster)) {
                    out += *found;
                    return;
                }
            for (std::size_t at = 0; at < cluster.size();) {
                const std::size_t begin = at;
                next_character(cluster, at);
                const std::string_view character = cluster.substr(begin, at - begin);
                out += replacement(character).value_or(character);
            }
        });
        return out;
    }

  private:
    static std::uint32_t word(std::string_view bytes) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i)
            value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        return value;
    }

    // What the table has for the shortest beginning of `text` that it knows. A place outside of the table ends the
    // search.
    std::optional<std::string_view> replacement(std::string_view text) const {
        const auto children = [](std::uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); };
        std::uint32_t place = children(units_[0]);
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            place ^= byte;
            if (byte == 0 || place >= units_.size()) return {};
            const std::uint32_t unit = units_[place];
            if ((unit & 0x800000FF) != byte) return {};
            place ^= children(unit);
            if (place >= units_.size()) return {};
            if (unit >> 8 & 1) {
                const std::size_t begin = units_[place] & 0x7FFFFFFF;
                if (begin >= replacements_.size()) return {};
                const bool inside = (static_cast<unsigned char>(replacements_[begin]) & 0xC0) == 0x80;
                if (inside) return {};
                const std::string_view rest = std::string_view(replacements_).substr(begin);
                return rest.substr(0, rest.find('\0'));
            }
        }
        return {};
    }

    std::vector<std::uint32_t> units_;
    std::string replacements_;
    std::array<bool, 128> plain_{};  // which characters of ASCII stay as they are
};

}  // namespace tessera::inline TESSERA_ISA
