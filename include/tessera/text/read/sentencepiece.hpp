// spiece.model: SentencePiece's own file, a protocol buffer. Read by hand: the library that comes with it takes broken
// files for empty ones, normalizes otherwise than the tokenizers the checkpoints were made with, and is large.
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/file.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/utf8.hpp>
#include <tessera/text/tokenizer.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What a spiece.model says.
struct SentencePieceModel {
    enum class Kind { unigram = 1, bpe = 2, word = 3, character = 4 };
    enum class Type { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
    struct Piece {
        std::string text;
        float score = 0;
        Type type = Type::normal;
    };
    std::vector<Piece> pieces;
    Kind kind = Kind::unigram;
    Token unknown = 0, bos = 1, eos = 2, pad = -1;  // -1: none
    std::string charsmap;                           // empty: text is not normalized
};

namespace detail {

/// The fields of one message of a protocol buffer, in order: next(), then what that field is.
class ProtobufMessage {
  public:
    /// `begin` is the place of `bytes` in the file, for messages.
    ProtobufMessage(std::string_view bytes, std::size_t begin, std::string_view where)
        : bytes_(bytes), begin_(begin), where_(where) {}

    /// Goes on to the next field, if there is one.
    bool next() {
        if (at_ == bytes_.size()) return false;
        const std::uint64_t key = read_varint();
        field_ = key >> 3;
        wire_ = static_cast<int>(key & 7);
        if (field_ == 0 || field_ >= 1u << 29) fail("expected a field, found the number ", field_);
        if (wire_ == varint_wire)
            number_ = read_varint();
        else if (wire_ == bytes_wire)
            content_ = take(read_varint());
        else if (wire_ == fixed32_wire || wire_ == fixed64_wire)
            content_ = take(wire_ == fixed32_wire ? 4 : 8);
        else
            fail("expected a wire type of 0, 1, 2 or 5, found ", wire_);
        return true;
    }
    std::uint64_t field() const { return field_; }

    std::uint64_t varint() const { return expect(varint_wire), number_; }
    std::int32_t int32() const { return static_cast<std::int32_t>(static_cast<std::uint32_t>(varint())); }
    std::string_view bytes() const { return expect(bytes_wire), content_; }
    float float32() const {
        expect(fixed32_wire);
        std::uint32_t bits = 0;
        for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(content_[i]);
        return std::bit_cast<float>(bits);
    }
    ProtobufMessage message() const {
        return {bytes(), begin_ + static_cast<std::size_t>(content_.data() - bytes_.data()), where_};
    }

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::tokenizer_format, where_, ": not a SentencePiece model: before byte ", begin_ + at_, ": ",
                    parts...);
    }

  private:
    static constexpr int varint_wire = 0, fixed64_wire = 1, bytes_wire = 2, fixed32_wire = 5;

    void expect(int wire) const {
        if (wire_ != wire) fail("expected wire type ", wire, " for field ", field_, ", found ", wire_);
    }
    std::uint64_t read_varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (at_ == bytes_.size()) fail("a number breaks off");
            const auto byte = static_cast<unsigned char>(bytes_[at_++]);
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        fail("a number does not end");
    }
    std::string_view take(std::uint64_t size) {
        if (size > bytes_.size() - at_) fail("expected ", size, " more bytes, found ", bytes_.size() - at_);
        at_ += size;
        return bytes_.substr(at_ - size, size);
    }

    std::string_view bytes_;
    std::size_t begin_, at_ = 0;
    std::string_view where_;
    std::uint64_t field_ = 0, number_ = 0;
    int wire_ = 0;
    std::string_view content_;
};

inline SentencePieceModel::Piece read_sentence_piece(ProtobufMessage message) {
    SentencePieceModel::Piece piece;
    while (message.next()) {
        if (message.field() == 1) {
            piece.text = message.bytes();
            if (find_invalid_utf8(piece.text) != std::string_view::npos) message.fail("a piece is not UTF-8");
        } else if (message.field() == 2) {
            piece.score = message.float32();
            if (!std::isfinite(piece.score))
                message.fail("the score of ", in_quotes(piece.text), " is not a finite number");
        } else if (message.field() == 3) {
            const std::uint64_t type = message.varint();
            if (type < 1 || type > 6) message.fail("a piece is of the unknown type ", type);
            piece.type = static_cast<SentencePieceModel::Type>(type);
        }
    }
    return piece;
}

inline void read_sentencepiece_trainer(ProtobufMessage message, SentencePieceModel& out) {
    while (message.next()) {
        if (message.field() == 3) {
            const std::int32_t kind = message.int32();
            if (kind < 1 || kind > 4) message.fail("a model of the unknown kind ", kind);
            out.kind = static_cast<SentencePieceModel::Kind>(kind);
        }
        if (message.field() == 40) out.unknown = message.int32();
        if (message.field() == 41) out.bos = message.int32();
        if (message.field() == 42) out.eos = message.int32();
        if (message.field() == 43) out.pad = message.int32();
    }
}

}  // namespace detail

/// Reads a spiece.model.
/// errors  tokenizer_format: not such a file, no pieces, a role for a piece that is not there
inline SentencePieceModel read_sentencepiece(const std::filesystem::path& path) {
    const MappedFile file(path);
    const std::string where = path.string();
    if (file.text().empty())
        throw Error(Errc::tokenizer_format, where, ": the file is empty, expected a SentencePiece model");
    SentencePieceModel out;
    bool trainer = false;
    detail::ProtobufMessage message(file.text(), 0, where);
    while (message.next()) {
        if (message.field() == 1) {
            out.pieces.push_back(detail::read_sentence_piece(message.message()));
        } else if (message.field() == 2) {
            detail::read_sentencepiece_trainer(message.message(), out);
            trainer = true;
        } else if (message.field() == 3) {
            auto normalizer = message.message();
            while (normalizer.next())
                if (normalizer.field() == 2) out.charsmap = normalizer.bytes();
        }
    }
    if (out.pieces.empty() || !trainer)
        throw Error(Errc::tokenizer_format, where,
                    ": not a SentencePiece model: expected pieces and how they were trained, found ", out.pieces.size(),
                    " pieces");
    for (const Token role : {out.unknown, out.bos, out.eos, out.pad})
        if (role >= 0 && static_cast<std::size_t>(role) >= out.pieces.size())
            throw Error(Errc::tokenizer_format, where, ": a special token has the id ", role, ", expected one of the ",
                        out.pieces.size(), " pieces");
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
