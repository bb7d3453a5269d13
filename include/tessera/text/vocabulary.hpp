// Which piece of text has which id.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/text/tokenizer.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Pieces and their ids, one to one; ids without a piece are allowed.
class Vocabulary {
  public:
    Vocabulary() = default;
    Vocabulary(Vocabulary&&) = default;  // not copied: pieces_ points into ids_
    Vocabulary& operator=(Vocabulary&&) = default;

    /// Ids are dense in every vocabulary that was ever published; a wild one must not make a table of its size.
    static constexpr Token highest_id(std::size_t tokens) {
        constexpr std::size_t most = 1u << 30, slack = 1u << 16;
        return static_cast<Token>((tokens < most ? tokens : most) + slack);
    }

    /// errors  tokenizer_format, headed by `where`, if `piece` or `id` was added before
    void add(std::string_view piece, Token id, std::string_view where) {
        TESSERA_EXPECTS(id >= 0);
        const auto [entry, is_new] = ids_.try_emplace(std::string(piece), id);
        if (!is_new)
            throw Error(Errc::tokenizer_format, where, ": the token ", in_quotes(piece), " has two ids, ",
                        entry->second, " and ", id);
        if (id >= size()) pieces_.resize(static_cast<std::size_t>(id) + 1);
        const std::string*& slot = pieces_[static_cast<std::size_t>(id)];
        if (slot != nullptr)
            throw Error(Errc::tokenizer_format, where, ": the tokens ", in_quotes(*slot), " and ", in_quotes(piece),
                        " have the same id, ", id);
        slot = &entry->first;
    }

    std::optional<Token> find(std::string_view piece) const {
        const auto entry = ids_.find(piece);
        return entry == ids_.end() ? std::nullopt : std::optional(entry->second);
    }
    /// Null where the id has no piece.
    const std::string* piece(Token id) const {
        return id >= 0 && id < size() ? pieces_[static_cast<std::size_t>(id)] : nullptr;
    }
    /// One more than the highest id.
    Token size() const { return static_cast<Token>(pieces_.size()); }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view piece) const { return std::hash<std::string_view>{}(piece); }
    };
    std::unordered_map<std::string, Token, Hash, std::equal_to<>> ids_;
    std::vector<const std::string*> pieces_;
};

}  // namespace tessera::inline TESSERA_ISA
