// A small share of the recipe: an image encoder, two language models and both stages, over scenes of one object.
#include <doctest/doctest.h>

#include <bit>
#include <numeric>
#include <tessera/kernel/parallel.hpp>
#include <tessera/text/read/tokenizer.hpp>

#include "../../examples/scenes/settings.hpp"
#include "../../examples/scenes/train/stage2.hpp"
#include "../../examples/scenes/train/vision.hpp"
#include "support/temporary_folder.hpp"

namespace scenes_recipe {
using namespace scenes;

namespace {

std::unique_ptr<tessera::Tokenizer> tokenizer_of(const char* model) {
    const tessera::test::TemporaryFolder folder;
    const std::map<std::string, Files> models = model_folders();
    for (const auto& [name, content] : models.at(model)) folder.write(name, content);
    return tessera::read_tokenizer(folder.path());
}

/// The bytes of all parameters, or of those whose paths begin so.
std::vector<std::uint32_t> bits_of(const auto& model, std::string_view below = "") {
    std::vector<std::uint32_t> out;
    std::vector<float> row;
    for (const auto& [path, leaf] : tessera::leaves_of(model)) {
        if (!path.starts_with(below)) continue;
        row.resize(static_cast<std::size_t>(leaf.columns()));
        for (Index i = 0; i < leaf.rows(); ++i) {
            leaf.read(i, row.data());
            for (const float x : row) out.push_back(std::bit_cast<std::uint32_t>(x));
        }
    }
    return out;
}

/// All stages, so many steps of each; half as many again of the second, and three times as many of the image encoder.
struct SmallRecipe {
    VisionPretraining seeing;
    Opt opt;
    T5 t5;
    Stage1 stage1;
    Blip2Opt blip2_opt;
    Blip2T5 blip2_t5;
    Losses of_vision, of_opt, of_t5, of_stage1, of_blip2_opt, of_blip2_t5;

    explicit SmallRecipe(Index steps) {
        const auto bert = tokenizer_of("blip2_itm"), opt_words = tokenizer_of("blip2_opt"),
                   t5_words = tokenizer_of("blip2_t5");
        const auto stage = [&](const char* name) {
            const std::string_view is(name);
            const bool sees = is == "vision";  // which collapses where it starts fast
            const Index count = sees ? steps * 3 : is.starts_with("blip2") ? steps * 3 / 2 : steps;
            return StageOptions{.name = name,
                                .steps = count,
                                .rate = sees ? 5e-4 : 2e-3,
                                .warmup = sees ? steps / 2 : 4,
                                .report = steps,
                                .seed = 3};
        };
        of_vision = pretrain_vision(seeing, *bert, stage("vision"), 12);
        of_opt = pretrain(opt, *opt_words, stage("opt"), 6, 6);
        of_t5 = pretrain(t5, *t5_words, stage("t5"), 6, 4);
        const auto vision = bits_of(seeing.vision), opt_bits = bits_of(opt), t5_bits = bits_of(t5);

        begin_stage1(stage1, seeing.text, 3);
        of_stage1 = train_stage1(stage1, seeing.vision, *bert, stage("stage 1"), {.batch = 12, .single = 100});
        CHECK(bits_of(seeing.vision) == vision);
        begin_stage2(blip2_opt, seeing.vision, &stage1, opt, 3);
        of_blip2_opt = train_stage2(blip2_opt, *opt_words, stage("blip2_opt"), 12, 100);
        begin_stage2(blip2_t5, seeing.vision, &stage1, t5, 3);
        of_blip2_t5 = train_stage2(blip2_t5, *t5_words, stage("blip2_t5"), 12, 100);

        CHECK(bits_of(blip2_opt, "vision.") == vision);
        CHECK(bits_of(blip2_t5, "vision.") == vision);
        CHECK(bits_of(blip2_opt, "language.") == opt_bits);
        CHECK(bits_of(blip2_t5, "language.") == t5_bits);
    }
};

double mean(std::span<const float> losses) {
    return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}
/// The mean of the last five losses is at most `share` of that of the first five.
void check_falls(const char* what, const Losses& losses, double share) {
    const double first = mean(std::span(losses).first(5)), last = mean(std::span(losses).last(5));
    INFO(std::string(what) << ": from " << first << " to " << last);
    CHECK(last < share * first);
}

/// So many threads as long as it lives.
struct Threads {
    int before = tessera::kernel::threads();
    explicit Threads(int count) { tessera::kernel::set_threads(count); }
    ~Threads() { tessera::kernel::set_threads(before); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
};

}  // namespace

TEST_CASE("every stage's loss falls, and what is frozen keeps its bytes") {
    const Threads one(1);  // batches are too small for more
    const SmallRecipe recipe(40);
    check_falls("vision", recipe.of_vision, 0.85);
    check_falls("opt", recipe.of_opt, 0.5);
    check_falls("t5", recipe.of_t5, 0.4);
    check_falls("stage 1", recipe.of_stage1, 0.75);
    check_falls("blip2_opt", recipe.of_blip2_opt, 0.75);
    check_falls("blip2_t5", recipe.of_blip2_t5, 0.9);
}

TEST_CASE("one thread and two make the same bits of every stage") {
    std::vector<std::vector<std::uint32_t>> bits;
    for (const int count : {1, 2}) {
        const Threads threads(count);
        const SmallRecipe recipe(2);
        auto& all = bits.emplace_back(bits_of(recipe.seeing));
        for (const auto& part : {bits_of(recipe.stage1), bits_of(recipe.blip2_opt), bits_of(recipe.blip2_t5)})
            all.insert(all.end(), part.begin(), part.end());
    }
    CHECK(bits[0] == bits[1]);
}

}  // namespace scenes_recipe
