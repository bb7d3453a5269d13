// Unigram from files: tokenizer.json, or spiece.model as the first releases of T5 have it.
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/core/utf8.hpp>
#include <tessera/text/base64.hpp>
#include <tessera/text/charsmap.hpp>
#include <tessera/text/json_field.hpp>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/sentencepiece.hpp>
#include <tessera/text/tokenizer_json.hpp>
#include <tessera/text/tokenizer_settings.hpp>
#include <tessera/text/unigram.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

using UnigramTokenizer = PieceTokenizer<Unigram>;

namespace detail {

inline std::map<std::string, std::string> usual_unigram_roles() {
    return {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};
}

inline void read_unigram_normalizer(const JsonField& normalizer, std::vector<UnigramNormalizer>& out) {
    const std::string type = normalizer["type"].text();
    if (type == "Sequence") {
        const JsonField parts = normalizer["normalizers"];
        for (std::size_t i = 0; i < parts.list().size(); ++i) read_unigram_normalizer(parts.element(i), out);
    } else if (type == "Precompiled") {
        const auto table = normalizer.find("precompiled_charsmap");
        if (!table || table->text().empty()) return;  // a model that leaves its text as it is
        const auto bytes = decode_base64(table->text());
        if (!bytes) table->fail("the table of characters is not base64");
        out.emplace_back(Charsmap(*bytes, table->where()));
    } else if (type == "Strip") {
        out.emplace_back(StripEnds{normalizer.flag_or("strip_left", true), normalizer.flag_or("strip_right", true)});
    } else if (type == "Replace") {
        const JsonField pattern = normalizer["pattern"];
        ReplaceText replace{.from = " ", .to = normalizer["content"].text(), .runs = true};
        if (const auto plain = pattern.find("String"))
            replace = {.from = plain->text(), .to = replace.to, .runs = false};
        else if (pattern["Regex"].text() != " {2,}")
            refuse_setting(pattern["Regex"], "the regular expression ' {2,}'");
        if (replace.from.empty()) pattern.fail("expected a pattern, found nothing");
        out.emplace_back(replace);
    } else {
        refuse_setting(normalizer["type"], "Precompiled, Strip, Replace or Sequence");
    }
}

inline UnigramOptions::Prepend read_prepend(const JsonField& metaspace) {
    using enum UnigramOptions::Prepend;
    const std::string scheme =
        metaspace.text_or("prepend_scheme", metaspace.flag_or("add_prefix_space", true) ? "always" : "never");
    if (scheme == "always") return always;
    if (scheme == "first") return first;
    if (scheme != "never") refuse_setting(metaspace["prepend_scheme"], "always, first or never");
    return never;
}

// Metaspace, or a sequence of WhitespaceSplit and Metaspace.
inline void read_unigram_split(const JsonField& split, UnigramOptions& out, bool& marked) {
    const std::string type = split["type"].text();
    if (type == "Sequence" && !marked) {
        const JsonField parts = split["pretokenizers"];
        for (std::size_t i = 0; i < parts.list().size(); ++i) read_unigram_split(parts.element(i), out, marked);
    } else if (type == "WhitespaceSplit" && !marked) {
        out.split_white_space = true;
    } else if (type == "Metaspace" && !marked) {
        marked = true;
        out.mark = split.text_or("replacement", out.mark);
        if (out.mark.empty() || utf8_front(out.mark).length != out.mark.size())
            split["replacement"].fail("expected one character, found ", in_quotes(out.mark));
        out.prepend = read_prepend(split);
        out.split_marks = split.flag_or("split", true);
    } else {
        refuse_setting(split["type"], "Metaspace, or WhitespaceSplit and Metaspace");
    }
}

}  // namespace detail

/// From the root of a tokenizer.json whose model is "Unigram".
/// errors  tokenizer_format
inline std::unique_ptr<UnigramTokenizer> read_unigram(const JsonField& root, const TokenizerSettings& settings) {
    const JsonField model = root["model"];
    if (model.flag_or("byte_fallback", false)) refuse_setting(model["byte_fallback"], "false");
    UnigramOptions options;
    options.split_white_space = false;
    if (const auto normalizer = root.find("normalizer"))
        detail::read_unigram_normalizer(*normalizer, options.normalizers);
    section_type(root, "pre_tokenizer", "Metaspace");
    bool marked = false;
    detail::read_unigram_split(root["pre_tokenizer"], options, marked);
    if (!marked) refuse_setting(root["pre_tokenizer"]["type"], "Metaspace, or WhitespaceSplit and Metaspace");
    const JsonField decoder = expect_section(root, "decoder", "Metaspace");
    if (decoder.text_or("replacement", options.mark) != options.mark)
        refuse_setting(decoder["replacement"], "the mark of the pre_tokenizer");
    options.decode_prepended = detail::read_prepend(decoder) != UnigramOptions::Prepend::never;

    const JsonField vocab = model["vocab"];
    std::vector<Unigram::Piece> pieces;
    for (std::size_t i = 0; i < vocab.list().size(); ++i) {
        const Json& pair = vocab.value()[i];
        const bool right = pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_number();
        if (!right) vocab.element(i).fail("expected a piece and its score");
        pieces.push_back({pair[0].get<std::string>(), pair[1].get<double>()});
    }
    if (pieces.empty()) vocab.fail("the vocabulary is empty");
    const Token unknown = model["unk_id"].id(static_cast<Token>(pieces.size()) - 1);
    Unigram unigram(pieces, unknown, std::move(options), vocab.where());
    TokenizerRules rules = read_rules(root, settings, unigram.vocabulary());
    cast_roles(rules, settings, unigram.vocabulary(), detail::usual_unigram_roles());
    return std::make_unique<UnigramTokenizer>(std::move(unigram), std::move(rules));
}

/// From spiece.model in `folder`, with T5's rules: white space separates, every word has a mark, </s> ends every text,
/// and sentinels follow the pieces, <extra_id_0> with the highest id; 100 unless the settings say otherwise.
/// errors  tokenizer_format
inline std::unique_ptr<UnigramTokenizer> read_unigram(const std::filesystem::path& folder, TokenizerSettings settings) {
    const auto path = folder / "spiece.model";
    const std::string where = path.string();
    const SentencePieceModel model = read_sentencepiece(path);
    if (model.kind != SentencePieceModel::Kind::unigram)
        throw Error(Errc::tokenizer_format, where, ": a model of kind ", static_cast<int>(model.kind),
                    " is not supported; expected 1, unigram");
    std::vector<Unigram::Piece> pieces;
    for (const auto& piece : model.pieces) {
        using enum SentencePieceModel::Type;
        if (piece.type == user_defined || piece.type == byte)
            throw Error(Errc::tokenizer_format, where, ": the piece ", in_quotes(piece.text), " is of type ",
                        static_cast<int>(piece.type), ", which is not supported; expected 1, 2, 3 or 5");
        pieces.push_back({piece.text, piece.score});
    }
    constexpr Token usual_extra_ids = 100;
    for (Token left = settings.extra_ids.value_or(usual_extra_ids); left > 0; --left) {
        pieces.push_back({"<extra_id_" + std::to_string(left - 1) + ">", 0});
        settings.special.insert(pieces.back().text);
    }
    if (model.unknown < 0)
        throw Error(Errc::tokenizer_format, where, ": expected a piece for unknown characters, found none");

    auto usual = detail::usual_unigram_roles();
    const auto named = [&](const char* role, Token id) {
        if (id >= 0) usual[role] = pieces[static_cast<std::size_t>(id)].text;
    };
    named("eos_token", model.eos);
    named("unk_token", model.unknown);
    named("pad_token", model.pad);
    for (const auto& [role, content] : usual)
        settings.special.insert(settings.roles.try_emplace(role, content).first->second);
    UnigramOptions options;
    if (!model.charsmap.empty()) options.normalizers.emplace_back(Charsmap(model.charsmap, where));
    Unigram unigram(pieces, model.unknown, std::move(options), where);
    TokenizerRules rules = join_rules({}, settings, unigram.vocabulary(), where);
    cast_roles(rules, settings, unigram.vocabulary(), usual);
    if (!rules.special_tokens.eos)
        throw Error(Errc::tokenizer_format, where, ": expected the token ", in_quotes(settings.roles["eos_token"]),
                    ", found none");
    rules.behind = {*rules.special_tokens.eos};
    return std::make_unique<UnigramTokenizer>(std::move(unigram), std::move(rules));
}

}  // namespace tessera::inline TESSERA_ISA
