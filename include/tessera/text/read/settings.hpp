// The small files beside a vocabulary: tokenizer_config.json, special_tokens_map.json, added_tokens.json.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tessera/core/json.hpp>
#include <tessera/text/piece_tokenizer.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What they say. Each file, and each setting, may be missing.
struct TokenizerSettings {
    std::map<std::string, std::string> roles;  // "bos_token" → "</s>"
    std::set<std::string> special;             // the tokens with a role, and others that are called special
    std::vector<AddedToken> added;
    bool has_config = false;  // there is a tokenizer_config.json
    bool clean_up_spaces = false;
    std::optional<bool> add_bos, add_eos, add_prefix_space, lower, strip_accents, split_cjk;
    std::optional<Token> extra_ids;

    /// Gives the roles that no file names to the tokens that usually have them, which are special tokens then.
    void assume(const std::map<std::string, std::string>& usual) {
        for (const auto& [role, content] : usual) special.insert(roles.try_emplace(role, content).first->second);
    }
};

/// An id, up to the highest that is possible among so many tokens.
inline Token read_id(JsonValue value, std::size_t tokens) {
    return static_cast<Token>(value.whole(0, Vocabulary::highest_id(tokens)));
}

/// The flags of an added token, as tokenizer.json and tokenizer_config.json spell them.
inline AddedToken read_added_token(JsonValue token, Token id) {
    AddedToken out{.content = std::string(token["content"].text()), .id = id, .source = token.file()};
    out.single_word = token.flag("single_word", false);
    out.lstrip = token.flag("lstrip", false);
    out.rstrip = token.flag("rstrip", false);
    out.special = token.flag("special", false);
    out.normalized = token.flag("normalized", !out.special);
    return out;
}

namespace detail {

// A token is spelled as text, or as an object with its flags.
inline std::string token_content(JsonValue token) {
    return std::string((token.is_object() ? token["content"] : token).text());
}

inline void read_roles(JsonValue root, TokenizerSettings& out) {
    for (const char* role :
         {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"})
        if (const auto token = root.find(role)) out.roles[role] = token_content(*token);
    for (const char* key :
         {"additional_special_tokens", "extra_special_tokens"})  // a list, or {"image_token": "<image>"}
        if (const auto tokens = root.find(key))
            for (const JsonValue token : tokens->is_object() ? *tokens : tokens->list())
                if (!token.is_null()) out.special.insert(token_content(token));
}

inline void read_tokenizer_config(JsonValue root, TokenizerSettings& out) {
    out.has_config = true;
    out.clean_up_spaces = root.flag("clean_up_tokenization_spaces", false);
    const auto optional_flag = [&](const char* key) -> std::optional<bool> {
        const auto member = root.find(key);
        return member ? std::optional(member->flag()) : std::nullopt;
    };
    out.add_bos = optional_flag("add_bos_token");
    out.add_eos = optional_flag("add_eos_token");
    out.add_prefix_space = optional_flag("add_prefix_space");
    out.lower = optional_flag("do_lower_case");
    out.strip_accents = optional_flag("strip_accents");
    out.split_cjk = optional_flag("tokenize_chinese_chars");
    constexpr Index most_extra_ids = 10000;
    if (const auto extra = root.find("extra_ids")) out.extra_ids = static_cast<Token>(extra->whole(0, most_extra_ids));
    for (const JsonValue entry : root.part("added_tokens_decoder")) {
        const std::string key(entry.key());
        if (key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != key.npos)
            entry.fail("expected an id, found ", in_quotes(key));
        out.added.push_back(read_added_token(entry, static_cast<Token>(std::stol(key))));
    }
}

}  // namespace detail

/// Reads those of the three files that `folder` has.
/// errors  tokenizer_format
inline TokenizerSettings read_tokenizer_settings(const std::filesystem::path& folder) {
    TokenizerSettings out;
    const auto read = [&](const char* name, auto&& use) {
        if (std::filesystem::exists(folder / name)) use(JsonFile(folder / name, Errc::tokenizer_format).root());
    };
    read("special_tokens_map.json", [&](JsonValue root) { detail::read_roles(root, out); });
    read("tokenizer_config.json", [&](JsonValue root) {
        detail::read_roles(root, out);
        detail::read_tokenizer_config(root, out);
    });
    for (const auto& [role, content] : out.roles) out.special.insert(content);
    read("added_tokens.json", [&](JsonValue root) {
        constexpr std::size_t most = 1 << 24;
        for (const JsonValue id : root.object()) {
            const std::string content(id.key());
            const bool special = out.special.contains(content);
            out.added.push_back({.content = content,
                                 .id = read_id(id, most),
                                 .normalized = !special,
                                 .special = special,
                                 .source = root.file()});
        }
    });
    return out;
}

/// Fills in which token has which role. Tokens that do not exist have none.
inline void resolve_special_tokens(TokenizerRules& rules, const TokenizerSettings& settings,
                                   const Vocabulary& vocabulary) {
    const auto token = [&](const char* role) -> std::optional<Token> {
        const auto named = settings.roles.find(role);
        if (named == settings.roles.end()) return {};
        for (const AddedToken& added : rules.added)
            if (added.content == named->second) return added.id;
        return vocabulary.find(named->second);
    };
    rules.special_tokens = {.bos = token("bos_token"),
                            .eos = token("eos_token"),
                            .pad = token("pad_token"),
                            .unknown = token("unk_token"),
                            .cls = token("cls_token"),
                            .sep = token("sep_token"),
                            .mask = token("mask_token")};
}

/// A token that a tokenizer cannot do without.
/// errors  tokenizer_format, headed by `where`
inline Token required(std::optional<Token> token, std::string_view content, std::string_view where) {
    if (!token) throw Error(Errc::tokenizer_format, where, ": expected the token ", in_quotes(content), ", found none");
    return *token;
}

/// The rules around a model, from what a tokenizer.json says of added tokens (`listed`) and what the settings say.
/// Where several name one token, the first counts. Special tokens of the vocabulary that are named are added tokens, too.
/// errors  tokenizer_format if they contradict each other or the vocabulary
inline TokenizerRules join_rules(std::vector<AddedToken> listed, const TokenizerSettings& settings,
                                 const Vocabulary& vocabulary) {
    TokenizerRules rules;
    rules.clean_up_spaces = settings.clean_up_spaces;
    Vocabulary known;  // of what is in rules.added
    listed.insert(listed.end(), settings.added.begin(), settings.added.end());
    for (const AddedToken& token : listed) {
        const auto refuse = [&](const auto&... why) {
            throw Error(Errc::tokenizer_format, token.source, ": the added token ", in_quotes(token.content), " ",
                        why...);
        };
        if (token.content.empty())
            throw Error(Errc::tokenizer_format, token.source, ": the added token ", token.id, " has no characters");
        if (token.id > Vocabulary::highest_id(static_cast<std::size_t>(vocabulary.size())))
            refuse("has the id ", token.id, ", far beyond the vocabulary of ", vocabulary.size(), " tokens");
        if (const auto piece = vocabulary.piece(token.id); piece && *piece != token.content)
            refuse("has the id ", token.id, " of the token ", in_quotes(*piece));
        if (const auto own = vocabulary.find(token.content); own && *own != token.id)
            refuse("has the id ", token.id, ", but ", *own, " in the vocabulary");
        if (const auto same = known.find(token.content)) {
            if (*same == token.id) continue;
            const auto first = std::find_if(rules.added.begin(), rules.added.end(),
                                            [&](const AddedToken& other) { return other.id == *same; });
            refuse("has the id ", token.id, ", but ", *same, " in ", first->source);
        }
        if (const auto other = known.piece(token.id))
            refuse("has the id ", token.id, " of the added token ", in_quotes(*other));
        known.set(token.content, token.id);
        rules.added.push_back(token);
    }
    for (const std::string& content : settings.special)
        if (const auto id = vocabulary.find(content); id && !known.piece(*id))
            rules.added.push_back({.content = content, .id = *id, .special = true});
    resolve_special_tokens(rules, settings, vocabulary);
    return rules;
}

}  // namespace tessera::inline TESSERA_ISA
