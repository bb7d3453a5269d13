// Which piece of text has which id.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/token.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Finds numbers by hashes, in one flat table. What is equal is known to whoever asks: `equal(number)`.
class HashIndex {
  public:
    static constexpr std::int32_t none = -1;

    /// The number of that hash that `equal` accepts, or none.
    template <class Equal>
    std::int32_t find(std::size_t hash, Equal&& equal) const {
        return slots_.empty() ? none : slots_[place(mix(hash), equal)].number;
    }
    /// Makes `number` what find() gives, in place of the number that `equal` accepts.
    template <class Equal>
    void set(std::size_t hash, Equal&& equal, std::int32_t number) {
        if (2 * count_ >= slots_.size()) grow();
        Slot& slot = slots_[place(mix(hash), equal)];
        if (slot.number == none) ++count_;
        slot = {mix(hash), number};
    }

  private:
    struct Slot {
        std::uint32_t hash = 0;
        std::int32_t number = none;
    };
    static std::uint32_t mix(std::size_t hash) {
        return static_cast<std::uint32_t>(std::uint64_t{hash} * 0x9E3779B97F4A7C15u >> 32);
    }
    template <class Equal>
    std::size_t place(std::uint32_t hash, Equal&& equal) const {  // of what is equal, or where it would be
        std::size_t at = hash >> shift_;
        while (slots_[at].number != none && !(slots_[at].hash == hash && equal(slots_[at].number)))
            at = (at + 1) & (slots_.size() - 1);
        return at;
    }
    void grow() {
        std::vector<Slot> old(slots_.empty() ? 1024 : 2 * slots_.size());
        old.swap(slots_);
        shift_ = 33 - static_cast<int>(std::bit_width(slots_.size()));
        for (const Slot& slot : old)
            if (slot.number != none) slots_[place(slot.hash, [](std::int32_t) { return false; })] = slot;
    }

    std::vector<Slot> slots_;  // a power of two, at most half of them taken
    std::size_t count_ = 0;
    int shift_ = 0;
};

/// Pieces and their ids. Ids without a piece are allowed.
class Vocabulary {
  public:
    /// Ids are dense in every vocabulary that was ever published; a wrong one must not make a table of its size.
    static constexpr Token highest_id(std::size_t tokens) {
        constexpr std::size_t most = 1u << 30, slack = 1u << 16;
        return static_cast<Token>((tokens < most ? tokens : most) + slack);
    }

    /// errors  tokenizer_format, headed by `where`, if `piece` or `id` was added before
    void add(std::string_view piece, Token id, std::string_view where) {
        if (const auto other = find(piece))
            throw Error(Errc::tokenizer_format, where, ": the token ", in_quotes(piece), " has two ids, ", *other,
                        " and ", id);
        if (const auto other = this->piece(id))
            throw Error(Errc::tokenizer_format, where, ": the tokens ", in_quotes(*other), " and ", in_quotes(piece),
                        " have the same id, ", id);
        set(piece, id);
    }
    /// Adds a piece that may be there already. Of its ids, find() gives the last one.
    void set(std::string_view piece, Token id) {
        TESSERA_EXPECTS(id >= 0);
        if (id >= size()) pieces_.resize(static_cast<std::size_t>(id) + 1);
        pieces_[static_cast<std::size_t>(id)] = {text_.size(), piece.size()};
        text_ += piece;
        index_.set(
            hash(piece), [&](Token other) { return *this->piece(other) == piece; }, id);
    }

    std::optional<Token> find(std::string_view piece) const {
        const Token id = index_.find(hash(piece), [&](Token other) { return *this->piece(other) == piece; });
        return id == HashIndex::none ? std::nullopt : std::optional(id);
    }
    /// None where the id has no piece. It lasts until something is added.
    std::optional<std::string_view> piece(Token id) const {
        if (id < 0 || id >= size()) return {};
        const auto [begin, size] = pieces_[static_cast<std::size_t>(id)];
        return size == none ? std::nullopt : std::optional(std::string_view(text_).substr(begin, size));
    }
    /// One more than the highest id.
    Token size() const { return static_cast<Token>(pieces_.size()); }

  private:
    static constexpr std::size_t none = std::string_view::npos;
    struct Piece {
        std::size_t begin = 0, size = none;  // in text_
    };
    static std::size_t hash(std::string_view piece) { return std::hash<std::string_view>{}(piece); }

    std::string text_;
    std::vector<Piece> pieces_;
    HashIndex index_;
};

}  // namespace tessera::inline TESSERA_ISA
