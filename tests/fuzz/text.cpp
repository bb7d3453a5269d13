// Text, through the tokenizers of the reference checkpoints and back.
#include <array>
#include <fuzz/fuzz.hpp>
#include <fuzz/tokens.hpp>
#include <memory>
#include <support/golden.hpp>
#include <tessera/text/read/tokenizer.hpp>

using namespace tessera;

const std::string_view fuzz::place = "text to encode";
const std::size_t fuzz::proportion = 256;

void fuzz::read(std::string_view bytes) {
    static const std::array tokenizers{read_tokenizer(test::golden("tokenizers/bpe")),
                                       read_tokenizer(test::golden("tokenizers/wordpiece")),
                                       read_tokenizer(test::golden("tokenizers/unigram"))};
    for (const auto& tokenizer : tokenizers) use(*tokenizer, bytes);
    const auto tokens = tokenizers[0]->encode(bytes, Specials::omit);
    expect(tokenizers[0]->decode(tokens, SkipSpecials::no) == bytes, "the text that was encoded");
}
