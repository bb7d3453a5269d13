// spiece.model: SentencePiece's own file, a protocol buffer. Read by hand: the library that comes with it takes broken
// files for empty ones, normalizes otherwise than the tokenizers the checkpoints were made with, and is large.
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
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

/// The fields of one message of a protocol buffer, in order.
class ProtobufFields {
  public:
    enum class Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
    struct Field {
        std::uint64_t number;
        Wire wire;
        std::uint64_t value = 0;        // if not bytes
        std::string_view content = {};  // if bytes
    };

    /// `begin` is the place of `bytes` in the file, for messages.
    ProtobufFields(std::string_view bytes, std::size_t begin, std::string_view where)
        : bytes_(bytes), begin_(begin), where_(where) {}

    /// The next field, or none at the end.
    std::optional<Field> next() {
        if (at_ == bytes_.size()) return {};
        const std::uint64_t key = varint();
        Field field{.number = key >> 3, .wire = static_cast<Wire>(key & 7)};
        if (field.number == 0 || field.number >= 1u << 29) fail("expected a field, found the number ", field.number);
        switch (field.wire) {
            case Wire::varint:
                field.value = varint();
                break;
            case Wire::fixed64:
                field.value = fixed(8);
                break;
            case Wire::bytes:
                field.content = take(varint());
                break;
            case Wire::fixed32:
                field.value = fixed(4);
                break;
            default:
                fail("expected a wire type of 0, 1, 2 or 5, found ", key & 7);
        }
        return field;
    }

    /// Checks what the format says of `field`, which next() returned last.
    void expect(const Field& field, Wire wire) const {
        if (field.wire != wire)
            fail("expected wire type ", static_cast<int>(wire), " for field ", field.number, ", found ",
                 static_cast<int>(field.wire));
    }
    /// The message inside of `field`.
    ProtobufFields inside(const Field& field) const {
        expect(field, Wire::bytes);
        return {field.content, begin_ + static_cast<std::size_t>(field.content.data() - bytes_.data()), where_};
    }

    template <class... Parts>
    [[noreturn]] void fail(const Parts&... parts) const {
        throw Error(Errc::tokenizer_format, where_, ": not a SentencePiece model: before byte ", begin_ + at_, ": ",
                    parts...);
    }

  private:
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (at_ == bytes_.size()) fail("a number breaks off");
            const auto byte = static_cast<unsigned char>(bytes_[at_++]);
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        fail("a number does not end");
    }
    std::uint64_t fixed(std::size_t size) {
        std::uint64_t value = 0;
        const std::string_view bytes = take(size);
        for (std::size_t i = 0; i < size; ++i)
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
        return value;
    }
    std::string_view take(std::uint64_t size) {
        if (size > bytes_.size() - at_) fail("expected ", size, " more bytes, found ", bytes_.size() - at_);
        at_ += size;
        return bytes_.substr(at_ - size, size);
    }

    std::string_view bytes_;
    std::size_t begin_, at_ = 0;
    std::string_view where_;
};

inline SentencePieceModel::Piece read_sentence_piece(ProtobufFields fields) {
    using Wire = ProtobufFields::Wire;
    SentencePieceModel::Piece piece;
    while (const auto field = fields.next()) {
        switch (field->number) {
            case 1:
                fields.expect(*field, Wire::bytes);
                if (find_invalid_utf8(field->content) != std::string_view::npos) fields.fail("a piece is not UTF-8");
                piece.text = field->content;
                break;
            case 2:
                fields.expect(*field, Wire::fixed32);
                piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field->value));
                if (!std::isfinite(piece.score))
                    fields.fail("the score of ", in_quotes(piece.text), " is not a finite number");
                break;
            case 3:
                fields.expect(*field, Wire::varint);
                if (field->value < 1 || field->value > 6) fields.fail("a piece is of the unknown type ", field->value);
                piece.type = static_cast<SentencePieceModel::Type>(field->value);
                break;
            default:
                break;
        }
    }
    return piece;
}

inline void read_sentencepiece_trainer(ProtobufFields fields, SentencePieceModel& out) {
    const auto number = [&](const ProtobufFields::Field& field) {  // an int32: a negative one fills all 64 bits
        fields.expect(field, ProtobufFields::Wire::varint);
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(field.value));
    };
    while (const auto field = fields.next()) {
        switch (field->number) {
            case 3:
                if (number(*field) < 1 || number(*field) > 4) fields.fail("a model of the unknown kind ", field->value);
                out.kind = static_cast<SentencePieceModel::Kind>(field->value);
                break;
            case 40:
                out.unknown = number(*field);
                break;
            case 41:
                out.bos = number(*field);
                break;
            case 42:
                out.eos = number(*field);
                break;
            case 43:
                out.pad = number(*field);
                break;
            default:
                break;
        }
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
    detail::ProtobufFields fields(file.text(), 0, where);
    while (const auto field = fields.next()) {
        if (field->number == 1) {
            out.pieces.push_back(detail::read_sentence_piece(fields.inside(*field)));
        } else if (field->number == 2) {
            detail::read_sentencepiece_trainer(fields.inside(*field), out);
            trainer = true;
        } else if (field->number == 3) {
            auto normalizer = fields.inside(*field);
            while (const auto inner = normalizer.next())
                if (inner->number == 2) {
                    normalizer.expect(*inner, detail::ProtobufFields::Wire::bytes);
                    out.charsmap = inner->content;
                }
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
