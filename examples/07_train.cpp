// Training in a loop of twenty lines: BLIP-2's first stage, small, on pictures that are made up here.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/stage1.hpp>
#include <tessera/train/trainer.hpp>
#include <vector>

using namespace tessera;

inline constexpr QFormerConfig config = checked(QFormerConfig{.queries = 4,
                                                              .width = 32,
                                                              .heads = 2,
                                                              .hidden = 64,
                                                              .layers = 2,
                                                              .context = 16,
                                                              .vocabulary = 20,
                                                              .positions = 8,
                                                              .embedding = 16});
using Model = Blip2Stage1<QFormer<config>>;

// Sixteen pictures: a colour and a shape each, and noise. Their captions: [CLS] colour shape [SEP].
constexpr Index pictures = 16, patches = 5;
struct World {
    std::vector<Token> ids;
    std::vector<Index> starts{0};

    World() {
        for (Index i = 0; i < pictures; ++i) {
            ids.insert(ids.end(), {1, static_cast<Token>(4 + i / 4), static_cast<Token>(8 + i % 4), 2});
            starts.push_back(4 * (i + 1));
        }
    }
    TextBatch texts() const { return {ids, starts}; }
    Rows<config.context> draw(std::uint64_t seed, Scratch& s) const {
        const auto x = s.rows<config.context>(pictures * patches);
        RandomStream random(seed);
        for (float& number : x.span()) number = static_cast<float>(random.uniform(-0.1, 0.1));
        for (Index row = 0; row < x.extent(0); ++row) {
            const Index picture = row / patches;
            x(row, picture / 4) += 1.0f, x(row, 4 + picture % 4) += 1.0f;
        }
        return x;
    }
};

TrainingEnd train_until(Index last, Model& model, const std::filesystem::path& folder, bool resume) {
    const World world;
    randomize(model, 1);
    model.temperature.fill(0.07f);
    Gradients gradients(model);
    AdamW adamw(gradients);
    const char* const settings = R"({"what": "colours and shapes", "rate": 4e-3, "seed": 1})";
    const TrainingRun run = resume ? TrainingRun::resume(folder, settings) : TrainingRun::begin(folder, settings);
    const TrainerOptions options{.steps = 120,
                                 .rate = Schedule{.peak = 4e-3, .warmup_steps = 10, .steps = 120},
                                 .clip = 1,
                                 .seed = 1,
                                 .save_every = 50,
                                 .stop = [&, step = Index{0}]() mutable { return step++ == last; }};
    return train(model, gradients, adamw, run, options, [&](const MicroBatch& at, Tape& tape) -> StepLosses {
        const auto losses = stage1_losses(model, {world.draw(at.seed, tape), world.texts()}, tape,
                                          {.dec = config.vocabulary - 1, .negatives = {.seed = at.seed}});
        return {losses.total, {{"loss.itc", losses.itc}, {"loss.itm", losses.itm}, {"loss.itg", losses.itg}}};
    });
}

int main() {
    const auto folder = std::filesystem::temp_directory_path() / "tessera_07_train";
    std::filesystem::remove_all(folder);
    Model first, model;
    const TrainingEnd stopped = train_until(60, first, folder, false), end = train_until(-1, model, folder, true);
    std::printf("stopped after step %td, resumed to step %td\n", stopped.step, end.step);

    Scratch s;
    const auto frame = s.frame();
    const World world;
    const auto keys = model.qformer.read(model.vision_norm(world.draw(99, s), s), s, pictures);
    const auto cosines = Model::itc(model.image_features(keys, s), model.text_features(world.texts(), s), s);
    Index right = 0;
    for (Index i = 0; i < pictures; ++i)
        right += std::max_element(&cosines(i, 0), &cosines(i, 0) + pictures) == &cosines(i, i);
    std::printf("%td of %td pictures find their caption\n", right, pictures);

    for (const LogCurve& curve : read_log(folder / "log.jsonl"))
        if (curve.name.starts_with("loss."))
            std::printf("%s: %td steps, %s\n", curve.name.c_str(), std::ssize(curve.values),
                        curve.values.back() < 0.6 * curve.values.front() ? "well down" : "not down");
    std::filesystem::remove_all(folder);
}
