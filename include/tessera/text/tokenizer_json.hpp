// The sections of a tokenizer.json that all kinds of tokenizers share.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/json.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/text/added_tokens.hpp>
#include <tessera/text/json_field.hpp>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/tokenizer_settings.hpp>
#include <tessera/text/vocabulary.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Complains of a setting that is legal, but that no tokenizer of BERT, OPT or T5 has.
[[noreturn]] inline void refuse_setting(const JsonField& field, std::string_view expected) {
    const std::string found = field.value().is_string() ? field.text() : field.value().dump(-1, ' ', true);
    field.fail(in_quotes(found), " is not supported; expected ", expected);
}

/// "type" of a section; `expected` for the complaint if the section is missing.
inline std::string section_type(const JsonField& root, std::string_view section, std::string_view expected) {
    const auto found = root.find(section);
    if (!found) root.fail("expected a ", section, " of type ", expected, ", found none");
    return (*found)["type"].text();
}

/// Checks that a section is of the only type there is for it.
inline JsonField expect_section(const JsonField& root, std::string_view section, std::string_view expected) {
    if (section_type(root, section, expected) != expected) refuse_setting(root[section]["type"], expected);
    return root[section];
}

/// "BPE", "WordPiece" or "Unigram"; files of the first versions do not say it.
inline std::string model_type(const JsonField& root) {
    const JsonField model = root["model"];
    if (const auto type = model.find("type")) return type->text();
    if (model.find("merges")) return "BPE";
    const JsonField vocabulary = model["vocab"];
    if (vocabulary.value().is_array()) return "Unigram";
    vocabulary.object();
    return "WordPiece";
}

/// Pieces and ids, from an object of them.
inline Vocabulary read_vocabulary(const JsonField& pieces) {
    Vocabulary vocabulary;
    const Json& object = pieces.object();
    if (object.empty()) pieces.fail("the vocabulary is empty");
    const Token highest = Vocabulary::highest_id(object.size());
    const std::string where = pieces.where();
    for (const auto& [piece, id] : object.items())
        vocabulary.add(piece, JsonField::is_id(id, highest) ? id.get<Token>() : pieces[piece].id(highest), where);
    return vocabulary;
}

inline std::vector<AddedToken> read_added_tokens(const JsonField& root, const Vocabulary& vocabulary) {
    std::vector<AddedToken> out;
    const auto tokens = root.find("added_tokens");
    if (!tokens) return out;
    const Token highest = Vocabulary::highest_id(static_cast<std::size_t>(vocabulary.size()));
    for (std::size_t i = 0; i < tokens->list().size(); ++i) {
        const JsonField entry = tokens->element(i);
        AddedToken token = read_added_token(entry);
        token.id = entry["id"].id(highest);
        if (token.content.empty()) entry.fail("an added token without characters");
        out.push_back(token);
    }
    return out;
}

namespace detail {

// ["</s>", 2]
inline Token read_pair(const JsonField& pair, Token highest) {
    if (pair.list().size() != 2) pair.fail("expected a token and its id");
    return pair.element(1).id(highest);
}

inline void read_template(const JsonField& processor, TokenizerRules& rules, Token highest) {
    const JsonField single = processor["single"];
    bool behind = false;
    for (std::size_t i = 0; i < single.list().size(); ++i) {
        const JsonField part = single.element(i);
        if (part.find("Sequence")) {
            if (behind || part["Sequence"]["id"].text() != "A") part.fail("expected the sequence A, once");
            behind = true;
        } else {
            const std::string name = part["SpecialToken"]["id"].text();
            const JsonField ids = processor["special_tokens"][name]["ids"];
            for (std::size_t k = 0; k < ids.list().size(); ++k)
                (behind ? rules.behind : rules.before).push_back(ids.element(k).id(highest));
        }
    }
    if (!behind) single.fail("expected the sequence A, found none");
}

inline void read_post_processor(const JsonField& processor, TokenizerRules& rules, Token highest) {
    const std::string type = processor["type"].text();
    if (type == "Sequence") {
        const JsonField parts = processor["processors"];
        for (std::size_t i = 0; i < parts.list().size(); ++i) read_post_processor(parts.element(i), rules, highest);
    } else if (type == "TemplateProcessing") {
        read_template(processor, rules, highest);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
        rules.before.push_back(read_pair(processor["cls"], highest));
        rules.behind.push_back(read_pair(processor["sep"], highest));
    } else if (type != "ByteLevel") {  // which moves offsets only
        refuse_setting(processor["type"], "TemplateProcessing, BertProcessing, RobertaProcessing or ByteLevel");
    }
}

}  // namespace detail

/// The rules around the model of a tokenizer.json. "truncation" and "padding" are left to who makes batches, as
/// transformers does.
inline TokenizerRules read_rules(const JsonField& root, const TokenizerSettings& settings,
                                 const Vocabulary& vocabulary) {
    TokenizerRules rules = join_rules(read_added_tokens(root, vocabulary), settings, vocabulary, root.file());
    if (const auto processor = root.find("post_processor")) {
        const Token highest = Vocabulary::highest_id(static_cast<std::size_t>(vocabulary.size()));
        detail::read_post_processor(*processor, rules, highest);
        for (const auto* side : {&rules.before, &rules.behind})
            for (const Token token : *side) {
                bool known = vocabulary.piece(token) != nullptr;
                for (const AddedToken& added : rules.added) known |= added.id == token;
                if (!known) processor->fail("expected ids of tokens, found ", token);
            }
    }
    return rules;
}

}  // namespace tessera::inline TESSERA_ISA
