// What can be said of a scene without seeing it: questions with answers, loose notes, documents for a language model.
#pragma once
#include "world.hpp"

namespace scenes {

struct Question {
    std::string question, answer;  // `what colour is the ring?`, `blue`
    std::string_view kind = {};    // `colour`
};
inline constexpr std::array<std::string_view, 6> question_kinds{"count", "colour", "size",
                                                                "shape", "is it",  "relation"};

/// Every kind of question that the caption of `scene` answers; where the answer is yes or no, `random` decides which of the two.
/// An object is called by its shape or by its colour where the other has another one.
inline std::vector<Question> questions(const Scene& scene, Random& random) {
    const auto text = [](auto&&... parts) { return (std::string(parts) + ...); };
    std::vector<Question> out{{"how many objects are there?", scene.count == 1 ? "one" : "two", "count"}};
    for (std::size_t i = 0; i < static_cast<std::size_t>(scene.count); ++i) {
        const Object &object = scene.objects[i], &other = scene.objects[1 - i];
        const std::string colour(colour_names[std::size_t(object.colour)]), size(size_names[std::size_t(object.size)]),
            shape(shape_names[std::size_t(object.shape)]);
        const bool has_other = scene.count == 2;
        if (!has_other || other.shape != object.shape) {
            out.push_back({text("what colour is the ", shape, "?"), colour, "colour"});
            out.push_back({text("what size is the ", shape, "?"), size, "size"});
            const bool yes = random.chance(50);
            const Index wrong = (object.colour + 1 + random.below(colours - 1)) % colours;
            const std::string_view asked = yes ? std::string_view(colour) : colour_names[std::size_t(wrong)];
            out.push_back({text("is the ", shape, " ", asked, "?"), yes ? "yes" : "no", "is it"});
        }
        if (!has_other || other.colour != object.colour) {
            out.push_back({text("what shape is the ", colour, " object?"), shape, "shape"});
            out.push_back({text("what size is the ", colour, " object?"), size, "size"});
        }
        if (has_other && other.shape != object.shape) {
            const bool yes = random.chance(50);
            const auto& names = yes == (i == 0) ? relation_names : inverse_names;
            out.push_back({text("is the ", shape, " ", names[std::size_t(scene.relation)], " the ",
                                shape_names[std::size_t(other.shape)], "?"),
                           yes ? "yes" : "no", "relation"});
        }
    }
    return out;
}

/// One of them, drawn.
inline Question draw_question(const Scene& scene, Random& random) {
    std::vector<Question> all = questions(scene, random);
    random.shuffle(all);
    return all[0];
}

/// What can be said of an object of a scene: size, colour, shape and where it is, if there is another.
inline std::vector<std::string> words_of(const Scene& scene, std::size_t i) {
    const Object& object = scene.objects[i];
    std::vector<std::string> out{std::string(size_names[std::size_t(object.size)]),
                                 std::string(colour_names[std::size_t(object.colour)]),
                                 std::string(shape_names[std::size_t(object.shape)])};
    if (scene.count == 2) out.emplace_back((i == 0 ? relation_names : inverse_names)[std::size_t(scene.relation)]);
    return out;
}

/// The scene as loose notes, in whatever order: `below ring blue large, red above small circle`. A language model that can read
/// them does not lean on the order of a caption's words, and soft prompts will stand in their place.
inline std::string notes(const Scene& scene, Random& random) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < static_cast<std::size_t>(scene.count); ++i) {
        std::vector<std::string> said = words_of(scene, i);
        random.shuffle(said);
        std::string& line = lines.emplace_back();
        for (const std::string& word : said) line += (line.empty() ? "" : " ") + word;
    }
    random.shuffle(lines);
    return lines.size() == 1 ? lines[0] : lines[0] + ", " + lines[1];
}

/// A text about a scene: what a reader knows beforehand (its caption, notes, or nothing), and what is said of it then.
struct Document {
    std::string context;
    std::vector<Question> said;  // without a question: the caption
};

inline Document draw_document(const Scene& scene, Random& random, std::size_t most = 6) {
    Document out;
    const Index kind = random.below(100);
    if (kind >= 4) out.context = kind < 50 ? caption(scene) : notes(scene, random);
    out.said = questions(scene, random);
    random.shuffle(out.said);
    if (out.said.size() >= most) out.said.resize(most - 1);
    const bool first = random.chance(50);
    const std::size_t place =
        first ? 0 : static_cast<std::size_t>(random.below(static_cast<Index>(out.said.size()) + 1));
    out.said.insert(out.said.begin() + static_cast<std::ptrdiff_t>(place), {"", caption(scene)});
    return out;
}

/// A document as an OPT reads it: ` large red ring</s>a large red ring\nQuestion: what size is the ring? Answer: large\n`.
inline std::string opt_text(const Document& document) {
    std::string out = document.context.empty() ? "" : ' ' + document.context;
    out += "</s>";
    for (const auto& [question, answer, kind] : document.said)
        out += (question.empty() ? answer : "Question: " + question + " Answer: " + answer) + '\n';
    return out;
}

}  // namespace scenes
