// Unigram from files: tokenizer.json, or spiece.model as the first releases of T5 have it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tessera/text/model/unigram.hpp>
#include <tessera/text/read/sentencepiece.hpp>
#include <tessera/text/read/tokenizer_json.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

namespace detail {

// The bytes that `text` stands for; none if it is not base64 with padding.
// source  RFC 4648 §4
inline std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0) return {};
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool filling = i >= text.size() - padding;
        const std::size_t value = filling ? 0 : alphabet.find(text[i]);
        if (value == std::string_view::npos) return {};
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if (i % 4 != 3) continue;
        for (const unsigned shift : {16u, 8u, 0u})
            out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> shift & 0xFF)));
        bits = 0;
    }
    out.resize(out.size() - padding);
    return out;
}

inline std::map<std::string, std::string> usual_unigram_roles() {
    return {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
}

inline void read_unigram_normalizer(JsonValue normalizer, std::vector<UnigramNormalizer>& out) {
    const std::string_view type = normalizer["type"].text();
    if (type == "Sequence") {
        for (const JsonValue part : normalizer["normalizers"].list()) read_unigram_normalizer(part, out);
    } else if (type == "Precompiled") {
        const auto table = normalizer.find("precompiled_charsmap");
        if (!table || table->text().empty()) return;  // a model that leaves its text as it is
        const auto bytes = decode_base64(table->text());
        if (!bytes) table->fail("the table of characters is not base64");
        out.emplace_back(Charsmap(*bytes, table->where()));
    } else if (type == "Strip") {
        out.emplace_back(StripEnds{normalizer.flag("strip_left", true), normalizer.flag("strip_right", true)});
    } else if (type == "Replace") {
        const JsonValue pattern = normalizer["pattern"];
        const auto plain = pattern.find("String");
        if (!plain && pattern["Regex"].text() != " {2,}")
            refuse_setting(pattern["Regex"], "the regular expression ' {2,}'");
        const std::string_view from = plain ? plain->text() : " ";
        if (from.empty()) pattern.fail("expected a pattern, found nothing");
        out.emplace_back(ReplaceText{std::string(from), std::string(normalizer["content"].text()), !plain});
    } else {
        refuse_setting(normalizer["type"], "Precompiled, Strip, Replace or Sequence");
    }
}

inline UnigramOptions::Prepend read_prepend(JsonValue metaspace) {
    using enum UnigramOptions::Prepend;
    const std::string scheme =
        metaspace.text("prepend_scheme", metaspace.flag("add_prefix_space", true) ? "always" : "never");
    if (scheme == "always") return always;
    if (scheme == "first") return first;
    if (scheme != "never") refuse_setting(metaspace["prepend_scheme"], "always, first or never");
    return never;
}

// Metaspace, or a sequence of WhitespaceSplit and Metaspace.
inline void read_unigram_split(JsonValue split, UnigramOptions& out, bool& marked) {
    const std::string_view type = split["type"].text();
    if (type == "Sequence" && !marked) {
        for (const JsonValue part : split["pretokenizers"].list()) read_unigram_split(part, out, marked);
    } else if (type == "WhitespaceSplit" && !marked) {
        out.split_white_space = true;
    } else if (type == "Metaspace" && !marked) {
        marked = true;
        out.mark = split.text("replacement", out.mark);
        if (out.mark.empty() || utf8_front(out.mark).length != out.mark.size())
            split["replacement"].fail("expected one character, found ", in_quotes(out.mark));
        out.prepend = read_prepend(split);
        out.split_marks = split.flag("split", true);
    } else {
        refuse_setting(split["type"], "Metaspace, or WhitespaceSplit and Metaspace");
    }
}

}  // namespace detail

/// From the root of a tokenizer.json whose model is "Unigram".
/// errors  tokenizer_format
inline std::unique_ptr<Tokenizer> read_unigram(JsonValue root, TokenizerSettings settings) {
    const JsonValue model = root["model"];
    if (model.flag("byte_fallback", false)) refuse_setting(model["byte_fallback"], "false");
    UnigramOptions options{.split_white_space = false};
    if (const auto normalizer = root.find("normalizer"))
        detail::read_unigram_normalizer(*normalizer, options.normalizers);
    const JsonValue split = section(root, "pre_tokenizer", "Metaspace");
    bool marked = false;
    detail::read_unigram_split(split, options, marked);
    if (!marked) refuse_setting(split["type"], "Metaspace, or WhitespaceSplit and Metaspace");
    const JsonValue decoder = expect_section(root, "decoder", "Metaspace");
    if (decoder.text("replacement", options.mark) != options.mark)
        refuse_setting(decoder["replacement"], "the mark of the pre_tokenizer");
    options.decode_prepended = detail::read_prepend(decoder) != UnigramOptions::Prepend::never;

    const JsonValue vocab = model["vocab"];
    std::vector<Unigram::Piece> pieces;
    for (const JsonValue pair : vocab.list()) {
        if (!pair.is_list() || pair.size() != 2) pair.fail("expected a piece and its score");
        pieces.push_back({std::string(pair.element(0).text()), pair.element(1).number()});
    }
    if (pieces.empty()) vocab.fail("the vocabulary is empty");
    const auto unknown = static_cast<Token>(model["unk_id"].whole(0, static_cast<Index>(pieces.size()) - 1));
    auto unigram = std::make_unique<Unigram>(pieces, unknown, std::move(options), vocab.where());
    settings.roles.merge(detail::usual_unigram_roles());
    TokenizerRules rules = read_rules(root, settings, unigram->vocabulary());
    return std::make_unique<PieceTokenizer>(std::move(unigram), std::move(rules));
}

/// From spiece.model in `folder`, with T5's rules: white space separates, every word has a mark, </s> ends every text,
/// and sentinels follow the pieces, <extra_id_0> with the highest id; 100 unless the settings say otherwise.
/// errors  tokenizer_format
inline std::unique_ptr<Tokenizer> read_unigram(const std::filesystem::path& folder, TokenizerSettings settings) {
    const auto path = folder / "spiece.model";
    const std::string where = path.string();
    SentencePieceModel model = read_sentencepiece(path);
    if (model.kind != SentencePieceModel::Kind::unigram)
        throw Error(Errc::tokenizer_format, where, ": a model of kind ", static_cast<int>(model.kind),
                    " is not supported; expected 1, unigram");
    if (model.unknown < 0)
        throw Error(Errc::tokenizer_format, where, ": expected a piece for unknown characters, found none");
    std::vector<Unigram::Piece> pieces;
    for (auto& piece : model.pieces) {
        using enum SentencePieceModel::Type;
        if (piece.type == user_defined || piece.type == byte)
            throw Error(Errc::tokenizer_format, where, ": the piece ", in_quotes(piece.text), " is of type ",
                        static_cast<int>(piece.type), ", which is not supported; expected 1, 2, 3 or 5");
        pieces.push_back({std::move(piece.text), piece.score});
    }
    auto usual = detail::usual_unigram_roles();
    const auto named = [&](const char* role, Token id) {
        if (id >= 0) usual[role] = pieces[static_cast<std::size_t>(id)].text;
    };
    named("eos_token", model.eos);
    named("unk_token", model.unknown);
    named("pad_token", model.pad);
    settings.assume(usual);
    constexpr Token usual_extra_ids = 100;
    for (Token left = settings.extra_ids.value_or(usual_extra_ids); left > 0; --left) {
        pieces.push_back({"<extra_id_" + std::to_string(left - 1) + ">", 0});
        settings.special.insert(pieces.back().text);
    }
    UnigramOptions options;
    if (!model.charsmap.empty()) options.normalizers.emplace_back(Charsmap(model.charsmap, where));
    auto unigram = std::make_unique<Unigram>(pieces, model.unknown, std::move(options), where);
    TokenizerRules rules = join_rules({}, settings, unigram->vocabulary());
    rules.suffix_ids = {required(rules.special_tokens.eos, settings.roles.at("eos_token"), where)};
    return std::make_unique<PieceTokenizer>(std::move(unigram), std::move(rules));
}

}  // namespace tessera::inline TESSERA_ISA
