#include <doctest/doctest.h>

#include <cstddef>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <tessera/text/model/piece_trie.hpp>
#include <utility>
#include <vector>

namespace text_piece_trie {
using namespace tessera;

namespace {
using Found = std::vector<std::pair<std::size_t, Token>>;

PieceTrie trie_of(const std::map<std::string, Token>& pieces) {
    std::vector<PieceTrie::Entry> entries;
    for (const auto& [piece, id] : pieces) entries.push_back({piece, id});
    return PieceTrie(entries);
}
Found prefixes(const PieceTrie& trie, std::string_view text) {
    Found out;
    trie.for_each_prefix(text, [&](std::size_t length, Token id) { out.emplace_back(length, id); });
    return out;
}
}  // namespace

TEST_CASE("all pieces that a text begins with, the shortest first") {
    const auto trie = trie_of({{"a", 7}, {"abc", 0}, {"abcd", 2}, {"b", 3}, {"\xFF\x01", 4}});
    CHECK(prefixes(trie, "abcdef") == Found{{1, 7}, {3, 0}, {4, 2}});
    CHECK(prefixes(trie, "ab") == Found{{1, 7}});
    CHECK(prefixes(trie, "b") == Found{{1, 3}});
    CHECK(prefixes(trie, "\xFF\x01\x01") == Found{{2, 4}});
    CHECK(prefixes(trie, "ca").empty());
    CHECK(prefixes(trie, "").empty());
    CHECK(prefixes(trie, std::string(3, '\0')).empty());
    CHECK(prefixes(trie_of({}), "abc").empty());
}

TEST_CASE("random sets of pieces, of few letters and of all bytes") {
    std::mt19937 random(13);
    for (const unsigned letters : {2u, 5u, 256u})
        for (int round = 0; round < 20; ++round) {
            const auto word = [&](std::size_t longest) {
                std::string out(1 + random() % longest, ' ');
                for (char& c : out) c = static_cast<char>(static_cast<unsigned char>(random() % letters));
                return out;
            };
            std::map<std::string, Token> pieces;
            for (Token id = 0; id < 2000; ++id) pieces[word(8)] = id;
            const auto trie = trie_of(pieces);
            for (int i = 0; i < 500; ++i) {
                std::string text = word(12);
                if (i % 2 == 0)
                    text =
                        std::next(pieces.begin(), static_cast<std::ptrdiff_t>(random() % 100 % pieces.size()))->first +
                        text;
                Found expected;
                for (std::size_t length = 1; length <= text.size(); ++length)
                    if (const auto at = pieces.find(text.substr(0, length)); at != pieces.end())
                        expected.emplace_back(length, at->second);
                if (prefixes(trie, text) != expected) FAIL(letters, " letters, round ", round);
            }
        }
}

TEST_CASE("a piece may be long") {
    const std::string piece(1 << 17, 'x');
    const auto trie = trie_of({{piece, 1}, {piece + "y", 2}});
    CHECK(prefixes(trie, piece + "yz") == Found{{piece.size(), 1}, {piece.size() + 1, 2}});
}

}  // namespace text_piece_trie
