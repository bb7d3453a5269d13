// The tokenizer of a checkpoint, whichever kind it is.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <tessera/text/read/bpe.hpp>
#include <tessera/text/read/unigram.hpp>
#include <tessera/text/read/wordpiece.hpp>

namespace tessera::inline TESSERA_ISA {

/// Reads the tokenizer that `folder` holds: tokenizer.json if it is there, else vocab.json with merges.txt (BPE),
/// vocab.txt (WordPiece) or spiece.model (Unigram); with it what there is of tokenizer_config.json,
/// special_tokens_map.json and added_tokens.json.
/// errors  tokenizer_format: no such file, or one that is broken, contradicts another, or needs what is not
///         supported; file_open: no such folder, or a file that cannot be read
inline std::unique_ptr<Tokenizer> read_tokenizer(const std::filesystem::path& folder) {
    std::error_code unused;
    if (!std::filesystem::is_directory(folder, unused))
        throw Error(Errc::file_open, folder.string(), ": expected a folder with a tokenizer, found none");
    const auto has = [&](const char* file) { return std::filesystem::exists(folder / file); };
    const TokenizerSettings settings = read_tokenizer_settings(folder);
    if (has("tokenizer.json")) {
        const JsonFile file(folder / "tokenizer.json", Errc::tokenizer_format);
        const JsonValue root = file.root();
        const std::string type = model_type(root);
        if (type == "BPE") return read_bpe(root, settings);
        if (type == "WordPiece") return read_wordpiece(root, settings);
        if (type == "Unigram") return read_unigram(root, settings);
        refuse_setting(root["model"]["type"], "BPE, WordPiece or Unigram");
    }
    if (has("vocab.json") || has("merges.txt")) return read_bpe(folder, settings);
    if (has("vocab.txt")) return read_wordpiece(folder, settings);
    if (has("spiece.model")) return read_unigram(folder, settings);
    throw Error(Errc::tokenizer_format, folder.string(),
                ": no tokenizer; expected tokenizer.json, vocab.json with merges.txt, vocab.txt or spiece.model");
}

}  // namespace tessera::inline TESSERA_ISA
