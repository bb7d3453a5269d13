// Captions, questions and documents: what is read, and what is refused in which sentence.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <tessera/train/data/caption_file.hpp>
#include <tessera/train/data/question_file.hpp>
#include <tessera/train/data/text_file.hpp>
#include <vector>

#include "support/damage.hpp"
#include "support/small_pictures.hpp"
#include "support/temporary_folder.hpp"

namespace train_data_caption_file {
using namespace tessera;

namespace {

/// What `read` says of a file with that text, without the folder.
template <class Read>
std::string refusal(std::string_view name, std::string_view text, const Read& read) {
    const test::TemporaryFolder folder;
    std::string message = "read";
    try {
        read(folder.write(name, text));
    } catch (const Error& error) {
        message = error.what();
    }
    const std::string path = folder.path().string() + '/';
    for (std::size_t at; (at = message.find(path)) != message.npos;) message.erase(at, path.size());
    return message;
}
std::string refusal(std::string_view text) {
    return refusal("c.jsonl", text, [](const auto& path) { CaptionFile{path}; });
}

}  // namespace

TEST_CASE("JSON lines: one caption or several, ids, each picture once") {
    const test::TemporaryFolder folder;
    const auto path =
        folder.write("c.jsonl",
                     "\xEF\xBB\xBF{\"image\": \"a.png\", \"caption\": \"one\", \"image_id\": 7}\r\n"
                     "\n"
                     "{\"image\": \"b.png\", \"captions\": [\"two\", \"two again\"], \"image_id\": \"7\"}\n"
                     "{\"caption\": [\"three\"], \"image\": \"a.png\", \"image_id\": 7, \"url\": null}\n"
                     "{\"image\": \"c d.png\", \"caption\": \"\\u00e4\", \"image_id\": -1}");
    const CaptionFile file(path, "/root");
    REQUIRE(file.size() == 4);
    CHECK(file.pictures().size() == 3);
    CHECK(file[0].picture == 0);
    CHECK(file[1].picture == 1);
    CHECK(file[2].picture == 0);
    CHECK(file[0].image_id == file[1].image_id);  // 7 and "7" are one
    CHECK(file[0].image_id == file[2].image_id);
    CHECK(file[3].image_id == 1);
    CHECK(file.captions().size() == 5);
    CHECK(file.captions(1)[1] == "two again");
    CHECK(file.captions(3)[0] == "ä");
    CHECK(file.pictures().path(2) == "/root/c d.png");
    CHECK(file.pictures().where(1) == path.string() + ":3");
}

TEST_CASE("LAVIS's annotations are a list; without ids, pictures are told apart by their paths") {
    const test::TemporaryFolder folder;
    const auto path = folder.write("coco.json", R"([{"caption": "a", "image": "x/1.jpg"},
        {"caption": ["b", "c"], "image": "x/2.jpg"}, {"caption": "d", "image": "x/1.jpg"}])");
    const CaptionFile file(path);
    REQUIRE(file.size() == 3);
    CHECK(file[0].image_id == file[2].image_id);
    CHECK(file[0].image_id != file[1].image_id);
    CHECK(file.pictures().path(0) == folder.path() / "x/1.jpg");
    CHECK(file.pictures().where(1) == path.string() + ": [1]");
}

TEST_CASE("a row with several captions shows each of them equally often, by seed, epoch and row") {
    const test::TemporaryFolder folder;
    const CaptionFile file(folder.write("c.jsonl",
                                        "{\"image\": \"a\", \"captions\": [\"0\", \"1\", \"2\"]}\n"
                                        "{\"image\": \"b\", \"caption\": \"3\"}"));
    std::vector<int> shown(4);
    for (Index epoch = 0; epoch < 3000; ++epoch) {
        ++shown[static_cast<std::size_t>(file.draw_caption(0, 5, epoch))];
        ++shown[static_cast<std::size_t>(file.draw_caption(1, 5, epoch))];
        CHECK(file.draw_caption(0, 5, epoch) == file.draw_caption(0, 5, epoch));
    }
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(shown[i] - 1000) < 130);  // 5 standard deviations of 26
    CHECK(shown[3] == 3000);
}

TEST_CASE("rows that are no captions are refused in one sentence that names the line") {
    CHECK(refusal(R"({"image": "a"})") == "[file.format] c.jsonl:1: expected 'caption' or 'captions', found neither");
    CHECK(refusal(R"({"image": "a", "caption": "b", "captions": ["c"]})") ==
          "[file.format] c.jsonl:1: expected 'caption' or 'captions', found both");
    CHECK(refusal("{\"image\": \"a\", \"caption\": \"b\"}\n{\"caption\": \"b\"}") ==
          "[file.format] c.jsonl:2: expected 'image', found none");
    CHECK(refusal(R"({"image": 3, "caption": "b"})") ==
          "[file.format] c.jsonl:1: image: expected the path of a picture, found 3");
    CHECK(refusal(R"({"image": "a\u0000b", "caption": "b"})").find("expected the path of a picture, found \"a") !=
          std::string::npos);
    CHECK(refusal(R"({"image": "a", "caption": " "})") ==
          "[file.format] c.jsonl:1: caption: expected a text, or a list of texts, found \" \"");
    CHECK(refusal(R"({"image": "a", "captions": []})") ==
          "[file.format] c.jsonl:1: captions: expected at least one text, found []");
    CHECK(refusal(R"({"image": "a", "captions": ["b", {}]})") ==
          "[file.format] c.jsonl:1: captions[1]: expected a text, found {}");
    CHECK(refusal(R"({"image": "a", "caption": "b", "image_id": 1.5})") ==
          "[file.format] c.jsonl:1: image_id: expected a whole number from -9007199254740992 to 9007199254740992, "
          "found 1.5");
    CHECK(refusal(R"({"image": "a", "caption": "b", "image_id": []})") ==
          "[file.format] c.jsonl:1: image_id: expected a text or a whole number, found []");
    CHECK(refusal("{\"image\": \"a\", \"caption\": \"b\"}\n{\"image\": \"a\", \"caption\": \"b\", \"image_id\": 1}") ==
          "[file.format] c.jsonl:2: image_id: expected in all rows or in none, found rows with and without it");
    CHECK(refusal("{\"image\": \"a\", \"caption\": \"b\", \"image_id\": 1}\n"
                  "{\"image\": \"a\", \"caption\": \"b\", \"image_id\": 2}") ==
          "[file.format] c.jsonl:2: image_id: expected the same as in other rows of this picture, found 2");
    CHECK(refusal("[1]") == "[file.format] c.jsonl: [0]: expected an object, found 1");
    CHECK(refusal(R"("text")") == "[file.format] c.jsonl:1: expected an object, found \"text\"");
    CHECK(refusal(R"([{"image": "a", "caption": "b"}, {"image": "a"}])") ==
          "[file.format] c.jsonl: [1]: expected 'caption' or 'captions', found neither");
    for (const char* nothing : {"", " \n\n", "[]", "\xEF\xBB\xBF"})
        CHECK(refusal(nothing) == "[file.format] c.jsonl: expected an object a line, or a list of objects, found none");
    CHECK(refusal("{\"image\": \"a\", \"caption\": \"b\"}\n{\"image\"")
              .starts_with("[file.format] c.jsonl:2: not JSON: "));
    CHECK(refusal("{\"image\": \"\xff\", \"caption\": \"b\"}").starts_with("[file.format] c.jsonl:1: not JSON: "));
    CHECK_THROWS_WITH_AS(CaptionFile("/nowhere/c.jsonl"), "[file.open] /nowhere/c.jsonl: No such file or directory",
                         Error);
}

TEST_CASE("a picture that is not there, or broken, is named with the row that wants it") {
    const test::TemporaryFolder folder;
    const auto png = test::small_picture("rgb_8.png");
    folder.write("good.png", {reinterpret_cast<const char*>(png.data()), png.size()});
    folder.write("cut.png", {reinterpret_cast<const char*>(png.data()), png.size() / 2});
    std::filesystem::create_directory(folder.path() / "folder");
    const CaptionFile file(folder.write("c.jsonl",
                                        "{\"image\": \"good.png\", \"caption\": \"a\"}\n"
                                        "{\"image\": \"cut.png\", \"caption\": \"a\"}\n"
                                        "{\"image\": \"gone.png\", \"caption\": \"a\"}\n"
                                        "{\"image\": \"folder\", \"caption\": \"a\"}\n"));
    const std::string at = folder.path().string() + '/';
    CHECK(file.pictures().read(0).width() > 0);
    std::string broken;
    try {
        file.pictures().read(1);
    } catch (const Error& error) {
        CHECK(error.code == Errc::image_decode);
        broken = error.what();
    }
    CHECK(broken.starts_with("[image.decode] " + at + "c.jsonl:2: image: " + at + "cut.png: "));
    const std::string gone = "[file.open] " + at + "c.jsonl:3: image: " + at + "gone.png: No such file or directory";
    CHECK_THROWS_WITH_AS(file.pictures().read(2), gone.c_str(), Error);
    CHECK_THROWS_WITH_AS(file.pictures().expect_files(), gone.c_str(), Error);
    folder.write("gone.png", "x");
    const std::string other =
        "[file.open] " + at + "c.jsonl:4: image: " + at + "folder: expected a file, found something else";
    CHECK_THROWS_WITH_AS(file.pictures().expect_files(), other.c_str(), Error);
}

TEST_CASE("questions with one right answer or several") {
    const test::TemporaryFolder folder;
    const QuestionFile file(folder.write("q.jsonl",
                                         "{\"image\": \"a\", \"question\": \"what?\", \"answer\": \"b\"}\n"
                                         "{\"image\": \"a\", \"question\": \"how?\", \"answer\": [\"c\", \"d\"]}"));
    REQUIRE(file.rows().size() == 2);
    CHECK(file.pictures().size() == 1);
    CHECK(file.rows()[1].question == "how?");
    CHECK(file.rows()[1].answers == std::vector<std::string>{"c", "d"});
    const auto read = [](const auto& path) { QuestionFile{path}; };
    CHECK(refusal("q.jsonl", R"({"image": "a", "question": "b"})", read) ==
          "[file.format] q.jsonl:1: expected 'answer', found none");
    CHECK(refusal("q.jsonl", R"({"image": "a", "question": [], "answer": "b"})", read) ==
          "[file.format] q.jsonl:1: question: expected a question, found []");
}

TEST_CASE("documents, a line each or in JSON") {
    const test::TemporaryFolder folder;
    const std::vector<std::string> two{"one line", "{\"text\": \"no JSON\"}"}, broken_line{"one\nline"};
    CHECK(read_documents(folder.write("a.txt", "one line\r\n\n \t\n{\"text\": \"no JSON\"}")) == two);
    CHECK(read_documents(folder.write("a.jsonl", "{\"text\": \"one\\nline\"}\n")) == broken_line);
    const auto read = [](const auto& path) { read_documents(path); };
    CHECK(refusal("a.txt", "good\nb\xff", read) ==
          "[file.format] a.txt:2: expected UTF-8, found the byte 0xff at position 1");
    CHECK(refusal("a.txt", "\n\n", read) == "[file.format] a.txt: expected a document a line, found none");
    CHECK(refusal("a.jsonl", "{\"txt\": \"a\"}", read) == "[file.format] a.jsonl:1: expected 'text', found none");
}

TEST_CASE("damaged files are read or refused in a sentence, and nothing else happens") {
    const std::string good =
        "{\"image\": \"a.png\", \"caption\": \"one two\", \"image_id\": 7}\n"
        "{\"image\": \"b.png\", \"captions\": [\"two\", \"two again\"], \"image_id\": \"8\"}\n";
    const std::string list = R"([{"image": "a.png", "caption": "one"}, {"image": "b.png", "caption": ["two", "3"]}])";
    test::Damage damage(12);
    const test::TemporaryFolder folder;
    int read = 0, refused = 0;
    for (int i = 0; i < 2000; ++i) {
        const std::string& from = i % 2 == 0 ? good : list;
        const auto bytes = damage({from.begin(), from.end()});
        const auto path = folder.write("c.jsonl", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        try {
            const CaptionFile file(path);
            ++read;
            for (Index row = 0; row < file.size(); ++row) {
                REQUIRE(file.captions(row).size() > 0);
                REQUIRE(file[row].picture < file.pictures().size());
            }
        } catch (const Error& error) {
            const std::string message = error.what();
            CAPTURE(message);
            REQUIRE(message.find("c.jsonl") != message.npos);
            REQUIRE(message.find('\n') == message.npos);
            REQUIRE(message.size() < 700);
            ++refused;
        }
    }
    CHECK(read > 50);
    CHECK(refused > 200);
}

}  // namespace train_data_caption_file
