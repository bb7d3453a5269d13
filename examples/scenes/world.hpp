// A world of drawn objects: which scenes there are, and which of them training shows.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <tessera/core/error.hpp>
#include <vector>

#include "random.hpp"

namespace scenes {

inline constexpr std::array<std::string_view, 2> size_names{"small", "large"};
inline constexpr std::array<std::string_view, 6> colour_names{"red", "green", "blue", "yellow", "purple", "white"};
inline constexpr std::array<std::string_view, 5> shape_names{"circle", "square", "triangle", "cross", "ring"};
/// What the first object is to the second, and the second to the first.
inline constexpr std::array<std::string_view, 2> relation_names{"left of", "above"}, inverse_names{"right of", "below"};

inline constexpr Index sizes = size_names.size(), colours = colour_names.size(), shapes = shape_names.size(),
                       relations = relation_names.size(), kinds = sizes * colours * shapes;

struct Object {
    Index size, colour, shape;

    constexpr std::string text() const {
        return std::string("a ").append(size_names[std::size_t(size)]) + ' ' +
               std::string(colour_names[std::size_t(colour)]) + ' ' + std::string(shape_names[std::size_t(shape)]);
    }
    friend constexpr bool operator==(const Object&, const Object&) = default;
};

/// A number for each kind of object, from 0 to kinds − 1.
constexpr Index kind_of(const Object& o) { return (o.size * colours + o.colour) * shapes + o.shape; }
constexpr Object object_of(Index kind) { return {kind / (colours * shapes), kind / shapes % colours, kind % shapes}; }

/// One object, or two of which `objects[0]` is left of or above the other; two never share both colour and shape.
struct Scene {
    Index count;
    std::array<Object, 2> objects;  // of a single object's scene the second is as the first
    Index relation;                 // 0 with one object

    static constexpr Scene of(Object a) { return {1, {a, a}, 0}; }
    static constexpr Scene of(Object a, Index relation, Object b) { return {2, {a, b}, relation}; }

    constexpr bool is_possible() const {
        return count == 1 || objects[0].colour != objects[1].colour || objects[0].shape != objects[1].shape;
    }
    friend constexpr bool operator==(const Scene&, const Scene&) = default;
};

/// What is asked of a scene: training may show it; its description as a whole is held out; it has an object of a colour and a
/// shape that are never seen together. `validation` are other pictures of what training shows.
enum class Split { train, validation, test, pair };
inline constexpr std::array<std::string_view, 4> split_names{"train", "val", "test", "pair"};

/// Pairs of colour and shape that training never shows: red crosses, blue circles, purple triangles.
constexpr bool is_held_out_pair(const Object& o) {
    return (o.colour == 0 && o.shape == 3) || (o.colour == 2 && o.shape == 0) || (o.colour == 4 && o.shape == 2);
}
/// A number for each scene.
constexpr std::uint64_t number_of(const Scene& s) {
    const Index second = s.count == 1 ? 0 : 1 + kind_of(s.objects[1]) * relations + s.relation;
    return static_cast<std::uint64_t>(kind_of(s.objects[0]) + kinds * second);
}
/// Every tenth description, as a hash decides, is held out.
constexpr bool is_held_out(const Scene& s) { return tessera::split_mix(number_of(s)) % 10 == 0; }

constexpr bool belongs(const Scene& s, Split split) {
    const bool pair = is_held_out_pair(s.objects[0]) || is_held_out_pair(s.objects[1]);
    if (split == Split::pair) return pair;
    return !pair && is_held_out(s) == (split == Split::test);
}

/// A description that `split` may show, of one object in `single` of a hundred cases.
inline Scene draw_scene(Random& random, Split split, Index single = 20) {
    const auto object = [&] { return Object{random.below(sizes), random.below(colours), random.below(shapes)}; };
    while (true) {
        const bool alone = random.chance(single);
        const Object a = object(), b = object();
        const Scene scene = alone ? Scene::of(a) : Scene::of(a, random.below(relations), b);
        if (scene.is_possible() && belongs(scene, split)) return scene;
    }
}

/// Every description that `split` may show, each once.
inline std::vector<Scene> all_scenes(Split split) {
    std::vector<Scene> out;
    const auto add = [&](const Scene& scene) {
        if (scene.is_possible() && belongs(scene, split)) out.push_back(scene);
    };
    for (Index a = 0; a < kinds; ++a) {
        add(Scene::of(object_of(a)));
        for (Index b = 0; b < kinds; ++b)
            for (Index relation = 0; relation < relations; ++relation)
                add(Scene::of(object_of(a), relation, object_of(b)));
    }
    return out;
}

/// Scenes of `split` that differ from `scene` in one thing: one attribute of one object, the relation, or what changes places
/// between the two objects: all of them, their colours, their shapes, their sizes. The hardest negatives there are.
inline std::vector<Scene> minimal_edits(const Scene& scene, Split split) {
    std::vector<Scene> out;
    const auto add = [&](Scene edited) {
        if (edited.count == 1) edited.objects[1] = edited.objects[0];
        if (!(edited == scene) && edited.is_possible() && belongs(edited, split)) out.push_back(edited);
    };
    const auto change = [&](Index Object::*attribute, Index values) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(scene.count); ++i)
            for (Index value = 0; value < values; ++value) {
                Scene edited = scene;
                edited.objects[i].*attribute = value;
                add(edited);
            }
    };
    change(&Object::size, sizes), change(&Object::colour, colours), change(&Object::shape, shapes);
    if (scene.count == 1) return out;
    add(Scene::of(scene.objects[0], 1 - scene.relation, scene.objects[1]));
    add(Scene::of(scene.objects[1], scene.relation, scene.objects[0]));
    for (Index Object::*const attribute : {&Object::size, &Object::colour, &Object::shape}) {
        Scene edited = scene;
        std::swap(edited.objects[0].*attribute, edited.objects[1].*attribute);
        add(edited);
    }
    return out;
}

/// `a small red circle left of a large blue ring`
inline std::string caption(const Scene& s) {
    if (s.count == 1) return s.objects[0].text();
    return s.objects[0].text() + ' ' + std::string(relation_names[std::size_t(s.relation)]) + ' ' + s.objects[1].text();
}

/// A batch of descriptions for contrast: each group of `group` begins with a fresh scene, and the others are minimal edits of
/// it. No two of a batch are equal.
/// errors  Errc::option_value where a thousand draws give nothing new: there are fewer such scenes
inline std::vector<Scene> draw_batch(Random& random, Split split, Index count, Index group, Index single = 20) {
    std::vector<Scene> out;
    const auto is_new = [&](const Scene& scene) {
        for (const Scene& other : out)
            if (other == scene) return false;
        return true;
    };
    for (int tries = 0; static_cast<Index>(out.size()) < count;) {
        const Scene first = draw_scene(random, split, single);
        if (!is_new(first)) {
            if (++tries == 1000)
                throw tessera::Error(tessera::Errc::option_value, "a batch of different scenes: expected ", count,
                                     ", found ", out.size(), " that may be shown");
            continue;
        }
        tries = 0;
        out.push_back(first);
        std::vector<Scene> edits = minimal_edits(first, split);
        random.shuffle(edits);
        for (Index i = 1; const Scene& edit : edits) {
            if (i == group || static_cast<Index>(out.size()) == count) break;
            if (is_new(edit)) out.push_back(edit), ++i;
        }
    }
    return out;
}

}  // namespace scenes
