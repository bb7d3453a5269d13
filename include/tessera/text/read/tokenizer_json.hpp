// The sections of a tokenizer.json that all kinds of tokenizers share.
#pragma once
#include <string>
#include <tessera/text/read/settings.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// Complains of a setting that is legal, but that no tokenizer of BERT, OPT or T5 has.
[[noreturn]] inline void refuse_setting(JsonValue value, std::string_view expected) {
    const std::string found = value.is_text() ? std::string(value.text()) : value.shown();
    value.fail(in_quotes(found), " is not supported; expected ", expected);
}

/// A section that must be there; `type` for the complaint if it is not.
inline JsonValue section(JsonValue root, std::string_view name, std::string_view type) {
    const auto found = root.find(name);
    if (!found) root.fail("expected a ", name, " of type ", type, ", found none");
    return *found;
}

/// A section that must be of that type.
inline JsonValue expect_section(JsonValue root, std::string_view name, std::string_view type) {
    const JsonValue found = section(root, name, type);
    if (found["type"].text() != type) refuse_setting(found["type"], type);
    return found;
}

/// "BPE", "WordPiece" or "Unigram"; files of the first versions do not say it.
inline std::string model_type(JsonValue root) {
    const JsonValue model = root["model"];
    if (const auto type = model.find("type")) return std::string(type->text());
    if (model.find("merges")) return "BPE";
    const JsonValue vocabulary = model["vocab"];
    if (vocabulary.is_list()) return "Unigram";
    vocabulary.object();
    return "WordPiece";
}

/// Pieces and ids, from an object of them.
inline Vocabulary read_vocabulary(JsonValue pieces) {
    const std::size_t count = pieces.object().size();
    if (count == 0) pieces.fail("the vocabulary is empty");
    const std::string where = pieces.where();
    Vocabulary vocabulary;
    for (const JsonValue id : pieces) vocabulary.add(id.key(), read_id(id, count), where);
    return vocabulary;
}

namespace detail {

inline std::vector<AddedToken> read_added_tokens(JsonValue root, const Vocabulary& vocabulary) {
    std::vector<AddedToken> out;
    if (const auto tokens = root.find("added_tokens"))
        for (const JsonValue entry : tokens->list()) {
            out.push_back(read_added_token(entry, read_id(entry["id"], static_cast<std::size_t>(vocabulary.size()))));
            if (out.back().content.empty()) entry.fail("an added token without characters");
        }
    return out;
}

inline void read_post_processor(JsonValue processor, TokenizerRules& rules, std::size_t tokens) {
    const std::string_view type = processor["type"].text();
    if (type == "Sequence") {
        for (const JsonValue part : processor["processors"].list()) read_post_processor(part, rules, tokens);
    } else if (type == "TemplateProcessing") {
        const JsonValue single = processor["single"];
        bool after = false;
        for (const JsonValue part : single.list()) {
            if (const auto sequence = part.find("Sequence")) {
                if (after || (*sequence)["id"].text() != "A") part.fail("expected the sequence A, once");
                after = true;
            } else {
                const std::string_view name = part["SpecialToken"]["id"].text();
                for (const JsonValue id : processor["special_tokens"][name]["ids"].list())
                    (after ? rules.suffix_ids : rules.prefix_ids).push_back(read_id(id, tokens));
            }
        }
        if (!after) single.fail("expected the sequence A, found none");
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
        const auto read_pair = [&](JsonValue pair) {  // ["</s>", 2]
            if (pair.list().size() != 2) pair.fail("expected a token and its id");
            return read_id(pair.element(1), tokens);
        };
        rules.prefix_ids.push_back(read_pair(processor["cls"]));
        rules.suffix_ids.push_back(read_pair(processor["sep"]));
    } else if (type != "ByteLevel") {  // which moves offsets only
        refuse_setting(processor["type"], "TemplateProcessing, BertProcessing, RobertaProcessing or ByteLevel");
    }
}

}  // namespace detail

/// The rules around the model of a tokenizer.json. "truncation" and "padding" are left to who makes batches, as
/// transformers does.
inline TokenizerRules read_rules(JsonValue root, const TokenizerSettings& settings, const Vocabulary& vocabulary) {
    TokenizerRules rules = join_rules(detail::read_added_tokens(root, vocabulary), settings, vocabulary);
    if (const auto processor = root.find("post_processor")) {
        detail::read_post_processor(*processor, rules, static_cast<std::size_t>(vocabulary.size()));
        for (const auto* side : {&rules.prefix_ids, &rules.suffix_ids})
            for (const Token token : *side) {
                bool known = vocabulary.piece(token).has_value();
                for (const AddedToken& added : rules.added) known |= added.id == token;
                if (!known) processor->fail("expected ids of tokens, found ", token);
            }
    }
    return rules;
}

}  // namespace tessera::inline TESSERA_ISA
