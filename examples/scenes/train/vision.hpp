// Stage 0: an image encoder out of nothing. Half of each batch is contrasted with captions, among them those of scenes that differ in
// one thing; of the other half, parts are hidden that are to be painted. Neither generates a word.
#pragma once
#include <tessera/train/loss/itc.hpp>

#include "batch.hpp"
#include "parts.hpp"
#include "run.hpp"

namespace scenes {

/// The image encoder with what is thrown away afterwards: a text tower, which has the shape of the Q-Former, the projections into
/// a common space, and a painter.
struct VisionPretraining {
    using Text = tessera::QFormer<qformer_config>;

    Vision vision;
    Text text;
    tessera::Linear<Vision::width, 64> image_projection, patch_projection;
    tessera::Linear<Text::width, 64> text_projection;
    tessera::Parameter<1> temperature;
    tessera::Linear<Vision::width, vision_config.patch_pixels()> painter;

    static void visit(auto& self, auto&& f) {
        f("vision", self.vision);
        f("text", self.text);
        f("image_projection", self.image_projection);
        f("patch_projection", self.patch_projection);
        f("text_projection", self.text_projection);
        f("temperature", self.temperature);
        f("painter", self.painter);
    }
};

/// Positions as sines and cosines of a patch's row and column, so that where something lies is not lost before it is learned.
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

/// The mean squared error of the rows that are marked.
inline tessera::Rows<1> squared_error(tessera::ConstRows<vision_config.patch_pixels()> painted, const Pixels& right,
                                      const std::vector<char>& marked, tessera::Scratch& s) {
    constexpr Index width = vision_config.patch_pixels();
    const Index rows = painted.extent(0);
    float* const errors = s.take<float>(rows);
    float* const gradient = s.take<float>(rows * width);
    const auto count = static_cast<float>(std::ranges::count(marked, 1) * width);
    for (Index i = 0; i < rows; ++i) {
        double sum = 0;
        for (Index k = 0; k < width; ++k) {
            const float error = marked[static_cast<std::size_t>(i)] ? painted(i, k) - right(i, k) : 0.0f;
            gradient[i * width + k] = 2 * error / count;
            sum += double{error} * double{error};
        }
        errors[i] = static_cast<float>(sum);
    }
    return tessera::detail::loss_of(errors, rows, 1 / count, painted.data(), gradient, rows * width, s);
}

inline Losses pretrain_vision(VisionPretraining& model, const tessera::Tokenizer& bert, const StageOptions& stage,
                              Index contrasted = 64, Index painted = 64) {
    constexpr Index group = 4, tokens = vision_config.tokens();
    tessera::randomize(model, stage.seed);
    set_positions(model.vision, 0.5f);
    model.temperature.fill(0.07f);
    std::vector<Object> objects;
    Texts phrases, texts;  // masks on the tape point to where texts begin
    for (Index kind = 0; kind < kinds; ++kind) {
        const Object object{kind / (colours * shapes), kind / shapes % colours, kind % shapes};
        if (is_held_out_pair(object)) continue;
        objects.push_back(object);
        phrases.add(bert.encode(object.text()));
    }
    return train(model, {}, stage, [&](Random& random, tessera::Tape& tape, Report& report) {
        std::vector<Scene> scenes = draw_batch(random, Split::train, contrasted, group);
        texts = captions_of(scenes, bert);
        for (Index i = 0; i < painted; ++i) scenes.push_back(draw_scene(random, Split::train));
        const Pixels pixels = draw_pixels(scenes, random, tape);
        const Index first = contrasted * patches_of_picture;
        const Pixels right = tape.rows<vision_config.patch_pixels()>(painted * patches_of_picture);
        std::copy_n(pixels.data() + first * pixels.extent(1), right.size(), right.data());
        std::vector<char> hidden(static_cast<std::size_t>(painted * patches_of_picture));
        for (std::size_t i = 0; i < hidden.size(); ++i) {
            hidden[i] = random.chance(40);
            if (hidden[i])
                std::fill_n(pixels.data() + (first + static_cast<Index>(i)) * pixels.extent(1), pixels.extent(1), 0.0f);
        }
        const auto seen = model.vision(pixels, tape);

        const auto whole = tape.rows<Vision::width>(contrasted);
        for (Index i = 0; i < contrasted; ++i) copy_rows(whole.slice(i, 1), seen.slice(i * tokens, 1), tape);
        const auto read = model.text.text(texts.batch(), tape), cls = tape.rows<Vision::width>(contrasted);
        for (Index i = 0; i < contrasted; ++i)
            copy_rows(cls.slice(i, 1), read.slice(texts.starts[static_cast<std::size_t>(i)], 1), tape);
        const auto images = tape.rows<64>(contrasted), captions = tape.rows<64>(contrasted);
        normalize_rows<64>(images, model.image_projection(whole, tape), tape);
        normalize_rows<64>(captions, model.text_projection(cls, tape), tape);
        const auto contrast = tessera::itc<64>(images, 1, captions, {}, model.temperature, tape,
                                               {.smoothing = 0, .gathered_is_constant = false});

        // What is in them: all objects that training may show.
        const auto in_patches = tape.rows<Vision::width>(contrasted * patches_of_picture);
        for (Index i = 0; i < contrasted; ++i)
            copy_rows(in_patches.slice(i * patches_of_picture, patches_of_picture),
                      seen.slice(i * tokens + 1, patches_of_picture), tape);
        std::vector<char> is_true;
        for (Index i = 0; i < contrasted; ++i)
            for (const Object& object : objects) {
                const Scene& scene = scenes[static_cast<std::size_t>(i)];
                is_true.push_back(object == scene.objects[0] || object == scene.objects[1]);
            }
        const auto phrases_read = model.text.text(phrases.batch(), tape);
        const auto phrase_cls = tape.rows<VisionPretraining::Text::width>(static_cast<Index>(objects.size()));
        for (Index i = 0; i < phrase_cls.extent(0); ++i)
            copy_rows(phrase_cls.slice(i, 1), phrases_read.slice(phrases.starts[static_cast<std::size_t>(i)], 1), tape);
        const auto parts = tape.rows<64>(in_patches.extent(0)), named = tape.rows<64>(phrase_cls.extent(0));
        normalize_rows<64>(parts, model.patch_projection(in_patches, tape), tape);
        normalize_rows<64>(named, model.text_projection(phrase_cls, tape), tape);
        const auto part_loss = contrast_parts<64>(parts, named, is_true, 0.07f, tape);

        Index found = 0;
        for (Index i = 0; i < contrasted; ++i) {
            const float* const row = contrast.logits.data() + i * contrasted;
            found += std::max_element(row, row + contrasted) - row == i;
        }

        const auto patches = tape.rows<Vision::width>(painted * patches_of_picture);
        for (Index i = 0; i < painted; ++i)
            copy_rows(patches.slice(i * patches_of_picture, patches_of_picture),
                      seen.slice((contrasted + i) * tokens + 1, patches_of_picture), tape);
        const auto error = squared_error(model.painter(patches, tape), right, hidden, tape);
        report.add("contrast", double{contrast.loss(0, 0)});
        report.add("parts", double{part_loss(0, 0)});
        report.add("right", static_cast<double>(found) / static_cast<double>(contrasted));
        report.add("painting", double{error(0, 0)});
        report.add("temperature", double{*model.temperature.data()});
        return tessera::sum({{contrast.loss}, {part_loss}, {error}}, tape);
    });
}

}  // namespace scenes
