// The whole recipe: an image encoder and two language models out of nothing, then both stages of BLIP-2 over them, frozen, each
// with its scores; last the model that ships. A stage whose folder has weights is not done again.
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/save_weights.hpp>
#include <tessera/text/read/tokenizer.hpp>

#include "settings.hpp"
#include "train/stage2.hpp"
#include "train/vision.hpp"

namespace scenes {
namespace {

struct Options {
    std::filesystem::path out;
    std::uint64_t seed = 1;
    double percent = 100;
    Index single = 20;
    bool skip_stage1 = false, leak = false;
    std::vector<std::string> stages = {"folders", "vision", "opt", "t5", "stage1", "blip2_opt", "blip2_t5", "model"};
};

/// The throw-away text tower, from which the Q-Former's text path begins, under names of its own.
struct TextTower {
    tessera::QFormer<qformer_config> text;
    static void visit(auto& self, auto&& f) { f("text", self.text); }
};

class Recipe {
  public:
    explicit Recipe(const Options& options) : options_(options) {
        for (const auto& [model, files] : model_folders()) {
            std::filesystem::create_directories(options.out / model);
            for (const auto& [name, content] : files) {
                const std::filesystem::path path = options.out / model / name;
                if (!std::filesystem::exists(path) || tessera::MappedFile(path).text() != content)
                    tessera::replace_file(path, content);  // so that stages may run beside each other
            }
        }
        bert_ = tessera::read_tokenizer(options.out / "blip2_itm");
        opt_words_ = tessera::read_tokenizer(options.out / "blip2_opt");
        t5_words_ = tessera::read_tokenizer(options.out / "blip2_t5");
    }

    void run() {
        if (wanted({"vision", "stage1", "blip2_opt", "blip2_t5"})) vision();
        if (wanted({"opt", "blip2_opt"})) {
            once("opt", opt_, [&] { pretrain(opt_, *opt_words_, stage("opt", 4500, 2e-3), 32, 6); });
            if (wanted({"opt"})) test("opt", opt_, *opt_words_);
        }
        if (wanted({"t5", "blip2_t5"})) {
            once("t5", t5_, [&] { pretrain(t5_, *t5_words_, stage("t5", 4000, 1e-3), 64, 4); });
            if (wanted({"t5"})) test("t5", t5_, *t5_words_);
        }
        if (wanted({"stage1"}) || (!options_.skip_stage1 && wanted({"blip2_opt", "blip2_t5"}))) stage1();
        if (wanted({"blip2_opt"})) stage2("blip2_opt", blip2_opt_, opt_, *opt_words_, 1000);
        if (wanted({"blip2_t5"})) stage2("blip2_t5", blip2_t5_, t5_, *t5_words_, 2000);
        if (wanted({"model"})) ship();
    }

  private:
    bool wanted(std::initializer_list<const char*> any) const {
        return std::ranges::any_of(any,
                                   [&](const char* name) { return std::ranges::count(options_.stages, name) != 0; });
    }
    StageOptions stage(const char* name, Index steps, double rate) const {
        return {.name = name,
                .steps = std::max<Index>(1, std::llround(static_cast<double>(steps) * options_.percent / 100)),
                .rate = rate,
                .seed = options_.seed};
    }
    /// There are about fifty single objects to train with, and no two pictures of a step show the same.
    Index pictures_of_a_step() const { return options_.single == 100 ? 32 : 64; }
    /// Loads the model of a folder, or trains and saves it.
    template <class Model>
    void once(const std::string& folder, Model& model, const auto& train_it) {
        const std::filesystem::path weights = options_.out / folder / "model.safetensors";
        if (std::filesystem::exists(weights)) {
            tessera::load_weights(model, tessera::Checkpoint(weights));
            std::cout << folder << ": from " << weights.string() << '\n';
            return;
        }
        train_it();
        save(folder, model);
    }
    template <class Model>
    void save(const std::string& folder, const Model& model) {
        std::filesystem::create_directories(options_.out / folder);
        tessera::save_weights(model, options_.out / folder / "model.safetensors");
    }

    void vision() {
        VisionPretraining both;
        const std::filesystem::path tower = options_.out / "text_tower" / "model.safetensors";
        if (std::filesystem::exists(tower)) tessera::load_weights(tower_, tessera::Checkpoint(tower));
        once("vision", vision_, [&] {
            pretrain_vision(both, *bert_, stage("vision", 3000, 2e-3));
            for (const Split split : {Split::train, Split::test, Split::pair})
                scenes::print(name_of(split), test_vision(both, *bert_, split));
            tower_.text = std::move(both.text);
            save("text_tower", tower_);
            vision_ = std::move(both.vision);
        });
    }
    void stage1() {
        once(options_.leak ? "stage1_leaking" : "stage1", stage1_, [&] {
            begin_stage1(stage1_, tower_.text, options_.seed);
            train_stage1(stage1_, vision_, *bert_, stage("stage 1", 1500, 2e-3),
                         {.batch = pictures_of_a_step(), .single = options_.single, .leak = options_.leak});
            if (!options_.leak) save_retrieval();
        });
        if (!wanted({"stage1"})) return;
        const Index count = options_.single == 100 ? 5 : 256;  // there are no more single objects that are held out
        for (const Split split : {Split::train, Split::test, Split::pair})
            scenes::print(name_of(split), test_stage1(stage1_, vision_, *bert_, split, count,
                                                      std::min<Index>(count, 16), options_.single));
    }
    void save_retrieval() {
        tessera::randomize(retrieval_, 0);
        copy_parameters(stage1_, retrieval_);
        copy_parameters(vision_, retrieval_.vision, "", "");
        save("blip2_itm", retrieval_);
    }
    template <class Model>
    void stage2(const std::string& name, Model& model, const auto& language, const tessera::Tokenizer& tokenizer,
                Index steps) {
        const std::string folder = name + (options_.skip_stage1 ? "_without_stage1" : "");
        once(folder, model, [&] {
            begin_stage2(model, vision_, options_.skip_stage1 ? nullptr : &stage1_, language, options_.seed);
            train_stage2(model, tokenizer, stage(folder.c_str(), steps, 1.5e-3), pictures_of_a_step(), options_.single);
        });
        test(folder, model, tokenizer);
    }
    template <class Model>
    void test(const std::string& name, const Model& model, const tessera::Tokenizer& tokenizer) const {
        for (const Split split : {Split::train, Split::test, Split::pair}) {
            const std::string what = name + ", " + name_of(split);
            if constexpr (requires { model.vision; }) {
                scenes::print(what.c_str(), test_stage2(model, tokenizer, split, 512, options_.single));
            } else {
                scenes::print((what + ", from words").c_str(), test_language(model, tokenizer, split, false));
                scenes::print((what + ", from rows").c_str(), test_language(model, tokenizer, split, true));
            }
        }
    }

    /// `model/`: BLIP-2 with the OPT, and the Q-Former that matches texts, their matrices in bf16.
    void ship() {
        ship("blip2_itm", retrieval_);
        ship("blip2_opt", blip2_opt_);
        test("model", blip2_opt_, *opt_words_);
    }
    template <class Model>
    void ship(const std::string& folder, Model& model) {
        const Files files = model_folders().at(folder);
        std::filesystem::create_directories(options_.out / "model" / folder);
        for (const auto& [name, content] : files)
            tessera::replace_file(options_.out / "model" / folder / name, content);
        model = Model();
        tessera::load_weights(model, tessera::Checkpoint(options_.out / folder / "model.safetensors"),
                              {.weight_dtype = tessera::DType::bf16});
        save("model/" + folder, model);
    }

    static const char* name_of(Split split) { return split_names[static_cast<std::size_t>(split)].data(); }

    Options options_;
    std::unique_ptr<tessera::Tokenizer> bert_, opt_words_, t5_words_;
    Vision vision_;
    TextTower tower_;
    Opt opt_;
    T5 t5_;
    Stage1 stage1_;
    Retrieval retrieval_;
    Blip2Opt blip2_opt_;
    Blip2T5 blip2_t5_;
};

}  // namespace
}  // namespace scenes

int main(int argc, char** argv) {
    scenes::Options options;
    CLI::App app{"Trains the models of the world of scenes."};
    app.add_option("--out", options.out, "Where the models' folders are to be")->required();
    app.add_option("--seed", options.seed, "Other weights and batches for each seed")->capture_default_str();
    app.add_option("--percent", options.percent, "Of the steps of each stage")
        ->capture_default_str()
        ->check(CLI::Range(0.01, 1000.0));
    app.add_option("--single", options.single, "Of a hundred scenes, how many have one object")
        ->capture_default_str()
        ->check(CLI::Range(0, 100));
    app.add_option("stages", options.stages,
                   "Which, with what they need; folders has only what lies beside the weights")
        ->check(CLI::IsMember(options.stages));
    app.add_flag("--skip-stage1", options.skip_stage1, "Stage 2 from a fresh Q-Former, for comparison");
    app.add_flag("--leak", options.leak,
                 "Stage 1 with captions under a mask that shows what is to be written, for comparison");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        scenes::Recipe(options).run();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "scenes_train: " << error.what() << '\n';
        return 1;
    }
}
