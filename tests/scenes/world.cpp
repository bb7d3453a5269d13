#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "../../examples/scenes/draw.hpp"
#include "../../examples/scenes/text.hpp"
#include "support/message_of.hpp"

namespace scenes_world {
using namespace scenes;
using tessera::test::message_of;

namespace {

std::uint64_t hash(const tessera::Image& image) {
    std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
    for (Index i = 0; i < image.pixels.size(); ++i) hash = (hash ^ image.pixels.data()[i]) * 0x100000001b3u;
    return hash;
}

}  // namespace

TEST_CASE("every description belongs to one split, and is said in words of its own") {
    std::set<std::string> said;
    std::size_t count[3] = {};
    for (const Split split : {Split::train, Split::test, Split::pair})
        for (const Scene& scene : all_scenes(split)) {
            ++count[split == Split::train ? 0 : split == Split::test ? 1 : 2];
            CHECK(said.insert(caption(scene)).second);
        }
    CHECK(said.size() == 60 + 2 * 60 * 58);
    CHECK(count[0] == 5122);
    CHECK(count[1] == 548);
    CHECK(count[2] == 1350);
    CHECK(all_scenes(Split::validation).size() == count[0]);
}

TEST_CASE("training shows no description that is held out, and no pair of colour and shape") {
    std::set<std::string> held_out;
    for (const Scene& scene : all_scenes(Split::test)) held_out.insert(caption(scene));
    const auto is_honest = [&](const std::string& text) {
        for (const char* pair : {"red cross", "blue circle", "purple triangle"})
            if (text.find(pair) != text.npos) return false;
        return !held_out.contains(text);
    };
    Random random(1);
    for (Index i = 0; i < 20000; ++i) {
        const Scene scene = draw_scene(random, i % 2 == 0 ? Split::train : Split::validation);
        REQUIRE(is_honest(caption(scene)));
        for (const Question& said : draw_document(scene, random).said)
            REQUIRE((!said.question.empty() || is_honest(said.answer)));
    }
    for (Index i = 0; i < 300; ++i)
        for (const Scene& scene : draw_batch(random, Split::train, 64, 4)) REQUIRE(is_honest(caption(scene)));
    for (Index i = 0; i < 2000; ++i) {
        REQUIRE(held_out.contains(caption(draw_scene(random, Split::test))));
        const Scene pair = draw_scene(random, Split::pair);
        REQUIRE((is_held_out_pair(pair.objects[0]) || is_held_out_pair(pair.objects[1])));
    }
}

TEST_CASE("edits differ in one thing, and a batch has no scene twice") {
    const Scene scene = Scene::of({0, 0, 0}, 1, {1, 2, 4});
    CHECK(caption(scene) == "a small red circle above a large blue ring");
    std::set<std::string> edits;
    for (const Scene& edit : minimal_edits(scene, Split::train)) CHECK(edits.insert(caption(edit)).second);
    for (const char* expected :
         {"a large red circle above a large blue ring", "a small red circle left of a large blue ring",
          "a large blue ring above a small red circle", "a small red ring above a large blue ring"})
        CHECK(edits.contains(expected) == belongs(scene, Split::train));
    CHECK(!edits.contains("a small blue circle above a large red ring"));  // blue circles are held out
    CHECK(!edits.contains(caption(scene)));

    Random random(3);
    for (const Index group : {1, 2, 4, 16}) {
        std::set<std::string> batch;
        for (const Scene& drawn : draw_batch(random, Split::train, 64, group)) batch.insert(caption(drawn));
        CHECK(batch.size() == 64);
    }
}

TEST_CASE("answers are true") {
    Random random(5);
    const Scene scene = Scene::of({0, 0, 0}, 0, {1, 3, 2});  // a small red circle left of a large yellow triangle
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i)
        for (const auto& [question, answer, kind] : questions(scene, random)) seen.insert(question + ' ' + answer);
    for (const char* expected :
         {"how many objects are there? two", "what colour is the circle? red", "what size is the triangle? large",
          "what shape is the yellow object? triangle", "what size is the red object? small", "is the circle red? yes",
          "is the circle white? no", "is the circle left of the triangle? yes",
          "is the circle right of the triangle? no", "is the triangle right of the circle? yes",
          "is the triangle left of the circle? no"})
        CHECK_MESSAGE(seen.contains(expected), expected);
    CHECK(seen.size() == 1 + 2 * 4 + 2 * 2 + 2 * (1 + 5));

    for (const Question& of_one : questions(Scene::of({1, 1, 1}), random))
        CHECK(of_one.question.find("left of") == std::string::npos);
    // Two rings: neither is `the ring`.
    for (const Question& of_two : questions(Scene::of({1, 1, 4}, 0, {1, 2, 4}), random))
        CHECK(of_two.question.find("the ring") == std::string::npos);
}

TEST_CASE("a batch of more scenes than there are is refused in one sentence") {
    Random random(3);
    CHECK(draw_batch(random, Split::train, 32, 4, 100).size() == 32);
    CHECK(message_of([&] {
              draw_batch(random, Split::test, 64, 4, 100);
          }).starts_with("[option.value] a batch of different scenes: expected 64, found "));
}

TEST_CASE("the same bytes on every machine") {
    CHECK(hash(example(1, Split::train, 0).image) == 15174711438100771721u);
    CHECK(hash(example(1, Split::train, 1).image) == 1521522672464620961u);
    CHECK(hash(example(2, Split::pair, 12345).image) == 2604779863466696601u);
    CHECK(caption(example(1, Split::train, 0).scene) == "a small green triangle");
    Random random(7);
    CHECK(notes(Scene::of({0, 0, 0}, 1, {1, 2, 4}), random) == "large blue below ring, above small circle red");
}

}  // namespace scenes_world
