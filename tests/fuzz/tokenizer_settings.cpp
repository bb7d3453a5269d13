// special_tokens_map.json, tokenizer_config.json and added_tokens.json, with zero bytes between them, beside a vocabulary.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <fuzz/tokens.hpp>
#include <support/golden.hpp>
#include <tessera/text/read/tokenizer.hpp>

using namespace tessera;

const std::string_view fuzz::place = "/tessera_";  // the folder
const std::size_t fuzz::proportion = 256;

void fuzz::read(std::string_view bytes) {
    static const Folder folder(test::golden("tokenizers/wordpiece"), {"vocab.txt"});
    folder.write_parts({"special_tokens_map.json", "tokenizer_config.json", "added_tokens.json"}, bytes);
    use(*read_tokenizer(folder.path()), some_text);
}
