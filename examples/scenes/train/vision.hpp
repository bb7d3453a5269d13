// Stage 0: an image encoder out of nothing, by contrast alone: of pictures with captions, among them those of scenes that differ in one
// thing, and of patches with what is in a picture. It generates no word.
#pragma once
#include <tessera/train/loss/itc.hpp>

#include "batch.hpp"
#include "parts.hpp"
#include "run.hpp"

namespace scenes {

/// The image encoder with what is thrown away afterwards: a text tower, which has the shape of the Q-Former, and the projections into
/// a common space.
struct VisionPretraining {
    using Text = tessera::QFormer<qformer_config>;

    Vision vision;
    Text text;
    tessera::Linear<Vision::width, 64> image_projection, patch_projection;
    tessera::Linear<Text::width, 64> text_projection;
    tessera::Parameter<1> temperature;

    static void visit(auto& self, auto&& f) {
        f("vision", self.vision);
        f("text", self.text);
        f("image_projection", self.image_projection);
        f("patch_projection", self.patch_projection);
        f("text_projection", self.text_projection);
        f("temperature", self.temperature);
    }
};

/// Positions as sines and cosines of a patch's row and column, several times as large as what a patch starts with: what the encoder says
/// of a patch has to say where that is, or no relation is ever learned from it.
/// source  Vaswani 2017 §3.5, for two dimensions
inline void set_positions(Vision& vision, float scale) {
    constexpr Index grid = vision_config.grid(), quarter = Vision::width / 4;
    std::vector<float> row(std::size_t{Vision::width}, 0.0f);
    vision.position.write(0, row.data(), 1);  // of the class token
    for (Index y = 0; y < grid; ++y)
        for (Index x = 0; x < grid; ++x) {
            for (Index i = 0; i < quarter; ++i) {
                const double turn = std::pow(1e-4, static_cast<double>(i) / static_cast<double>(quarter));
                const auto set = [&](Index part, double value) {
                    row[static_cast<std::size_t>(part * quarter + i)] = scale * static_cast<float>(value);
                };
                set(0, std::sin(static_cast<double>(y) * turn)), set(1, std::cos(static_cast<double>(y) * turn));
                set(2, std::sin(static_cast<double>(x) * turn)), set(3, std::cos(static_cast<double>(x) * turn));
            }
            vision.position.write(1 + y * grid + x, row.data(), 1);
        }
}

/// The features of texts, by their [CLS].
inline tessera::Rows<64> text_features(const VisionPretraining& model, const tessera::TextBatch& texts,
                                       tessera::Scratch& s) {
    const auto read = model.text.text(texts, s), cls = s.rows<VisionPretraining::Text::width>(texts.count());
    for (Index i = 0; i < texts.count(); ++i)
        copy_rows(cls.slice(i, 1), read.slice(texts.starts[static_cast<std::size_t>(i)], 1), s);
    const auto out = s.rows<64>(texts.count());
    normalize_rows<64>(out, model.text_projection(cls, s), s);
    return out;
}

/// The features of pictures, and those of their patches.
struct ImageFeatures {
    tessera::Rows<64> whole, patches;
};
inline ImageFeatures image_features(const VisionPretraining& model, const Pixels& pixels, tessera::Scratch& s) {
    constexpr Index tokens = vision_config.tokens();
    const Index count = pixels.extent(0) / patches_of_picture;
    const auto seen = model.vision(pixels, s);
    const auto cls = s.rows<Vision::width>(count), rest = s.rows<Vision::width>(count * patches_of_picture);
    for (Index i = 0; i < count; ++i) {
        copy_rows(cls.slice(i, 1), seen.slice(i * tokens, 1), s);
        copy_rows(rest.slice(i * patches_of_picture, patches_of_picture),
                  seen.slice(i * tokens + 1, patches_of_picture), s);
    }
    const ImageFeatures out{s.rows<64>(count), s.rows<64>(count * patches_of_picture)};
    normalize_rows<64>(out.whole, model.image_projection(cls, s), s);
    normalize_rows<64>(out.patches, model.patch_projection(rest, s), s);
    return out;
}

/// Row by row, which of the others is most alike.
inline std::vector<Index> nearest(tessera::ConstRows<64> rows, tessera::ConstRows<64> others) {
    std::vector<Index> out;
    for (Index i = 0; i < rows.extent(0); ++i) {
        float most = -2;
        Index best = 0;
        for (Index j = 0; j < others.extent(0); ++j) {
            const float cosine = tessera::kernel::dot_row(rows.data() + i * 64, others.data() + j * 64, 64);
            if (cosine > most) most = cosine, best = j;
        }
        out.push_back(best);
    }
    return out;
}

inline Losses pretrain_vision(VisionPretraining& model, const tessera::Tokenizer& bert, const StageOptions& stage,
                              Index batch = 64) {
    tessera::randomize(model, stage.seed);
    set_positions(model.vision, 2);
    model.temperature.fill(0.07f);
    std::vector<Object> objects;  // all that training may show
    Texts phrases, texts;         // masks on the tape point to where texts begin
    for (Index kind = 0; kind < kinds; ++kind) {
        const Object object = object_of(kind);
        if (is_held_out_pair(object)) continue;
        objects.push_back(object);
        phrases.add(bert.encode(object.text()));
    }
    return train(model, {}, stage, [&](Random& random, tessera::Tape& tape, Report& report) {
        const std::vector<Scene> scenes = draw_batch(random, Split::train, batch, 4);
        texts = captions_of(scenes, bert);
        const auto [images, patches] = image_features(model, draw_pixels(scenes, random, tape), tape);
        const auto contrast =
            tessera::itc<64>(images, 1, text_features(model, texts.batch(), tape), {}, model.temperature, tape,
                             {.smoothing = 0, .gathered_is_constant = false});
        std::vector<char> is_true;
        for (const Scene& scene : scenes)
            for (const Object& object : objects)
                is_true.push_back(object == scene.objects[0] || object == scene.objects[1]);
        const auto parts =
            contrast_parts<64>(patches, text_features(model, phrases.batch(), tape), is_true, 0.07f, tape);
        report.add("contrast", double{contrast.loss(0, 0)});
        report.add("parts", double{parts(0, 0)});
        report.add("temperature", double{*model.temperature.data()});
        return tessera::sum({{contrast.loss}, {parts}}, tape);
    });
}

/// Of pictures whose descriptions training has not shown: how often the likeliest of `count` captions is the right one, and how many of
/// the objects are told from all that differ from them in one thing, by the patch that is most alike.
struct VisionScores {
    double retrieval, size, colour, shape;
};
inline VisionScores test_vision(const VisionPretraining& model, const tessera::Tokenizer& bert, Split split,
                                Index count = 256) {
    tessera::Scratch s;
    const auto frame = s.frame();
    Random random(66);
    const std::vector<Scene> scenes = draw_batch(random, split, count, 1);
    const ImageFeatures seen = image_features(model, draw_pixels(scenes, random, s), s);
    Texts phrases;
    for (Index kind = 0; kind < kinds; ++kind) phrases.add(bert.encode(object_of(kind).text()));
    const auto names = text_features(model, phrases.batch(), s);

    VisionScores out{};
    const std::vector<Index> found = nearest(seen.whole, text_features(model, captions_of(scenes, bert).batch(), s));
    double objects = 0;
    for (Index i = 0; i < count; ++i) {
        const Scene& scene = scenes[static_cast<std::size_t>(i)];
        out.retrieval += found[static_cast<std::size_t>(i)] == i;
        const auto likeness = [&](const Object& object) {
            float most = -1;
            for (Index patch = i * patches_of_picture; patch < (i + 1) * patches_of_picture; ++patch)
                most = std::max(most, tessera::kernel::dot_row(seen.patches.data() + patch * 64,
                                                               names.data() + kind_of(object) * 64, 64));
            return most;
        };
        for (std::size_t k = 0; k < static_cast<std::size_t>(scene.count); ++k) {
            const Object &object = scene.objects[k], &other = scene.objects[1 - k];
            const float right = likeness(object);
            const auto is_told = [&](Index Object::*attribute, Index values) {
                for (Index value = 0; value < values; ++value) {
                    Object edited = object;
                    edited.*attribute = value;
                    if (edited != object && edited != other && likeness(edited) >= right) return 0;
                }
                return 1;
            };
            out.size += is_told(&Object::size, sizes), out.colour += is_told(&Object::colour, colours),
                out.shape += is_told(&Object::shape, shapes), ++objects;
        }
    }
    return {out.retrieval / static_cast<double>(count), out.size / objects, out.colour / objects, out.shape / objects};
}

inline void print(const char* what, const VisionScores& scores) {
    std::printf("vision, %s: R@1 %.3f; objects by size %.3f, colour %.3f, shape %.3f\n", what, scores.retrieval,
                scores.size, scores.colour, scores.shape);
    std::fflush(stdout);
}

}  // namespace scenes
