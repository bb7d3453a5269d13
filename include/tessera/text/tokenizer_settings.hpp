// The small files beside a vocabulary: tokenizer_config.json, special_tokens_map.json, added_tokens.json.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <tessera/core/json.hpp>
#include <tessera/core/printable.hpp>
#include <tessera/text/added_tokens.hpp>
#include <tessera/text/json_field.hpp>
#include <tessera/text/piece_tokenizer.hpp>
#include <tessera/text/vocabulary.hpp>
#include <utility>
#include <vector>

namespace tessera::inline TESSERA_ISA {

/// What they say. Each file, and each setting, may be missing.
struct TokenizerSettings {
    std::map<std::string, std::string> roles;  // "bos_token" → "</s>"
    std::set<std::string> special;             // the tokens with a role, and others that are called special
    std::vector<AddedToken> added;             // with their ids
    std::map<std::string, std::pair<Token, std::string>>
        origin;               // of an added token: its id, and the file that told of it
    bool has_config = false;  // there is a tokenizer_config.json
    bool clean_up_spaces = false;
    std::optional<bool> add_bos, add_eos, add_prefix_space, lower, strip_accents, split_cjk;
    std::optional<Token> extra_ids;
};

/// The roles that Hugging Face's files name.
inline constexpr std::array<std::string_view, 7> tokenizer_roles{"bos_token", "eos_token", "unk_token", "sep_token",
                                                                 "pad_token", "cls_token", "mask_token"};

/// The flags of an added token, as tokenizer.json and tokenizer_config.json spell them.
inline AddedToken read_added_token(const JsonField& token) {
    AddedToken out;
    out.content = token["content"].text();
    out.single_word = token.flag_or("single_word", false);
    out.lstrip = token.flag_or("lstrip", false);
    out.rstrip = token.flag_or("rstrip", false);
    out.special = token.flag_or("special", false);
    out.normalized = token.flag_or("normalized", !out.special);
    return out;
}

namespace detail {

// A token is spelled as text, or as an object with its flags.
inline std::string token_content(const JsonField& token) {
    return token.value().is_object() ? token["content"].text() : token.text();
}

inline void read_roles(const JsonField& root, TokenizerSettings& out) {
    for (const std::string_view role : tokenizer_roles)
        if (const auto token = root.find(role)) out.roles[std::string(role)] = token_content(*token);
    for (const std::string_view key : {"additional_special_tokens", "extra_special_tokens"}) {
        const auto tokens = root.find(key);
        if (!tokens) continue;
        if (tokens->value().is_object()) {  // {"image_token": "<image>"}
            for (const auto& [name, unused] : tokens->value().items())
                if (const auto token = tokens->find(name)) out.special.insert(token_content(*token));
        } else {
            for (std::size_t i = 0; i < tokens->list().size(); ++i)
                out.special.insert(token_content(tokens->element(i)));
        }
    }
}

inline void add_setting(TokenizerSettings& out, const AddedToken& token, const std::string& file) {
    const auto [first, is_new] = out.origin.emplace(token.content, std::pair(token.id, file));
    if (is_new) {
        out.added.push_back(token);
    } else if (const auto& [id, other] = first->second; id != token.id) {
        throw Error(Errc::tokenizer_format, file, ": the token ", in_quotes(token.content), " has the id ", token.id,
                    ", but ", id, " in ", other);
    }
}

inline void read_tokenizer_config(const JsonField& root, TokenizerSettings& out) {
    out.has_config = true;
    out.clean_up_spaces = root.flag_or("clean_up_tokenization_spaces", false);
    const auto optional_flag = [&](std::string_view key) -> std::optional<bool> {
        const auto member = root.find(key);
        return member ? std::optional(member->flag()) : std::nullopt;
    };
    out.add_bos = optional_flag("add_bos_token");
    out.add_eos = optional_flag("add_eos_token");
    out.add_prefix_space = optional_flag("add_prefix_space");
    out.lower = optional_flag("do_lower_case");
    out.strip_accents = optional_flag("strip_accents");
    out.split_cjk = optional_flag("tokenize_chinese_chars");
    constexpr Token most_extra_ids = 10000;
    if (const auto extra = root.find("extra_ids")) out.extra_ids = extra->id(most_extra_ids);
    if (const auto decoder = root.find("added_tokens_decoder")) {
        for (const auto& [key, unused] : decoder->object().items()) {
            const JsonField entry = (*decoder)[key];
            AddedToken token = read_added_token(entry);
            const bool digits =
                !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos;
            if (!digits) entry.fail("expected an id, found ", in_quotes(key));
            token.id = static_cast<Token>(std::stol(key));
            add_setting(out, token, root.file());
        }
    }
}

}  // namespace detail

/// Reads those of the three files that `folder` has.
/// errors  tokenizer_format
inline TokenizerSettings read_tokenizer_settings(const std::filesystem::path& folder) {
    TokenizerSettings out;
    const auto read = [&](std::string_view name, auto&& use) {
        const auto path = folder / name;
        if (!std::filesystem::exists(path)) return;
        const Json json = read_json(path, Errc::tokenizer_format);
        use(JsonField(json, path));
    };
    read("special_tokens_map.json", [&](const JsonField& root) { detail::read_roles(root, out); });
    read("tokenizer_config.json", [&](const JsonField& root) {
        detail::read_roles(root, out);
        detail::read_tokenizer_config(root, out);
    });
    for (const auto& [role, content] : out.roles) out.special.insert(content);
    read("added_tokens.json", [&](const JsonField& root) {
        const Token highest = Vocabulary::highest_id(1u << 24);
        for (const auto& [content, id] : root.object().items()) {
            AddedToken token{
                .content = content, .id = root[content].id(highest), .special = out.special.contains(content)};
            token.normalized = !token.special;
            detail::add_setting(out, token, root.file());
        }
    });
    return out;
}

/// The rules around a model, from what a tokenizer.json says of added tokens (`listed`) and what the settings say.
/// Where several tell of one token, the first counts. Named special tokens of the vocabulary are added tokens, too.
/// errors  tokenizer_format if they contradict each other or the vocabulary, headed by the file that does
inline TokenizerRules join_rules(std::vector<AddedToken> listed, const TokenizerSettings& settings,
                                 const Vocabulary& vocabulary, const std::string& where) {
    TokenizerRules rules;
    std::map<std::string, Token> by_content;
    std::map<Token, std::string> by_id;
    const Token highest = Vocabulary::highest_id(static_cast<std::size_t>(vocabulary.size()));
    const auto add = [&](const AddedToken& token, const std::string& file) {
        const auto refuse = [&](const auto&... why) {
            throw Error(Errc::tokenizer_format, file, ": the added token ", in_quotes(token.content), " ", why...);
        };
        if (token.content.empty())
            throw Error(Errc::tokenizer_format, file, ": the added token ", token.id, " has no characters");
        if (token.id > highest)
            refuse("has the id ", token.id, ", far beyond the vocabulary of ", vocabulary.size(), " tokens");
        if (const std::string* piece = vocabulary.piece(token.id); piece != nullptr && *piece != token.content)
            refuse("has the id ", token.id, " of the token ", in_quotes(*piece));
        if (const auto own = vocabulary.find(token.content); own && *own != token.id)
            refuse("has the id ", token.id, ", but ", *own, " in the vocabulary");
        const auto [same, is_new] = by_content.emplace(token.content, token.id);
        if (!is_new) {
            if (same->second != token.id) refuse("has two ids, ", same->second, " and ", token.id);
            return;
        }
        if (const auto [other, free] = by_id.emplace(token.id, token.content); !free)
            refuse("has the id ", token.id, " of the added token ", in_quotes(other->second));
        rules.added.push_back(token);
    };
    for (const AddedToken& token : listed) add(token, where);
    for (const AddedToken& token : settings.added) add(token, settings.origin.at(token.content).second);
    for (const std::string& content : settings.special)
        if (const auto id = vocabulary.find(content); id && !by_content.contains(content))
            add({.content = content, .id = *id, .special = true}, where);
    rules.clean_up_spaces = settings.clean_up_spaces;
    return rules;
}

/// Fills in who plays which role; `usual` names tokens for roles that no file names. Tokens that do not exist play
/// none.
inline void cast_roles(TokenizerRules& rules, const TokenizerSettings& settings, const Vocabulary& vocabulary,
                       const std::map<std::string, std::string>& usual) {
    const auto token = [&](const std::string& role) -> std::optional<Token> {
        auto named = settings.roles.find(role);
        if (named == settings.roles.end()) {
            named = usual.find(role);
            if (named == usual.end()) return {};
        }
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

}  // namespace tessera::inline TESSERA_ISA
