// The model that ships, over pictures of descriptions that it was not trained with.
#include <doctest/doctest.h>

#include <fstream>
#include <tessera/generate/answer.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/generate/match.hpp>
#include <tessera/image/decode.hpp>

#include "../../examples/scenes/models.hpp"

namespace scenes_model {
using namespace scenes;

namespace {

/// A folder of examples/scenes, from the place of this file in the source tree.
std::filesystem::path folder(const char* name) {
    return std::filesystem::path(__FILE__).parent_path() / "../../examples/scenes" / name;
}

/// The lines of a file of held_out, and the picture that each of them is about.
struct Lines {
    std::vector<tessera::Json> all;
    std::vector<tessera::Image> images;

    explicit Lines(const char* name) {
        std::ifstream file(folder("held_out") / name);
        for (std::string line; std::getline(file, line);) {
            all.push_back(tessera::Json::parse(line));
            images.push_back(tessera::read_image(folder("held_out") / all.back()["image"].get<std::string>()));
        }
    }
    std::vector<std::string> texts(const char* key) const {
        std::vector<std::string> out;
        for (const tessera::Json& line : all) out.push_back(line[key]);
        return out;
    }
};

/// How many of the texts are the expected ones; all must be named where one is not.
std::size_t right(const std::vector<tessera::Caption>& found, const std::vector<std::string>& expected) {
    REQUIRE(found.size() == expected.size());
    std::size_t out = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].text == expected[i])
            ++out;
        else
            MESSAGE("picture " << i << ": expected '" << expected[i] << "', found '" << found[i].text << "'");
    }
    return out;
}

}  // namespace

TEST_CASE(
    "it describes pictures whose descriptions it has not seen, and answers questions that it was never trained on") {
    const auto blip2 = tessera::load<Blip2Opt>(folder("model/blip2_opt"));
    const Lines pictures("test.jsonl");
    tessera::Scratch s;
    REQUIRE(pictures.all.size() == 24);
    CHECK(right(tessera::captions(blip2, pictures.images, {}, {}, s), pictures.texts("caption")) >= 22);

    const Lines asked("test_questions.jsonl");
    REQUIRE(asked.all.size() == 24);
    // Of 512 such questions 0.97 are answered, and 0.44 are guessed without a picture.
    CHECK(right(tessera::answers(blip2, asked.images, asked.texts("question"), {}, s), asked.texts("answer")) >= 22);
}

TEST_CASE("it tells which captions belong to which pictures, and finds them") {
    const auto retrieval = tessera::load<Retrieval>(folder("model/blip2_itm"));
    const Lines pictures("test.jsonl");
    const auto scores = tessera::match(retrieval, pictures.images, pictures.texts("caption"));
    const std::vector<std::string> captions = pictures.texts("caption");
    Index told = 0, found = 0;  // by matching, of all pairs; by contrast, of all pictures
    for (Index i = 0; i < 24; ++i) {
        Index best = 0;
        for (Index j = 0; j < 24; ++j) {
            const bool same = captions[static_cast<std::size_t>(i)] == captions[static_cast<std::size_t>(j)];
            told += (scores.itm(i, j) > 0.5f) == same;
            if (scores.itc(i, j) > scores.itc(i, best)) best = j;
        }
        found += captions[static_cast<std::size_t>(i)] == captions[static_cast<std::size_t>(best)];
    }
    CHECK(told >= 24 * 24 - 8);
    CHECK(found >= 23);
}

}  // namespace scenes_model
