// The config of `tessera train`. Paths are as the program sees them; what has a default may be left out.
//
//     {"stage": "stage1",                         stage1, stage2, or language: a language model alone
//      "shape": "vit-g",                          a compiled model of train_models.hpp
//      "out": "run",                              the run's folder: states, log.jsonl, features of pictures
//      "export": "model",                         the whole model, when training is done
//      "start": {"vision": "eva_vit_g.pth",       stages 1, 2: the image encoder
//                "bert": "bert-base-uncased",     stage 1: the Q-Former begins with BERT, or
//                "qformer": "run/step-250000",    stages 1, 2: with what was trained before
//                "language": "facebook/opt-2.7b", stage 2; its tokenizer, too
//                "model": "blip2-opt-2.7b",       stage 2: a BLIP-2 to fine-tune instead; language: weights to go on with
//                "tokenizer": "bert-base-uncased"},
//      "frozen_weights": "bf16",                  how what does not learn is kept: f32, bf16, f16, i8; default: as stored
//      "products": "f32",                         stages 1, 2: the arithmetic of what is kept as bf16; bf16: of rows rounded to that, too
//      "data": {"file": "captions.jsonl",         or LAVIS's JSON; language: a text file, a document a line
//               "images": "pictures",             default: beside the file
//               "augment": false,                 without it, features of pictures are computed once
//               "most_tokens": 32, "prompt": ""},
//      "feature_cache": "features",               a path that several runs can share; default: in `out`
//      "validation": {"every": 1000, "file": …, "images": …, "rows": 256,
//                     "rerank": 128},             stage 1: how many of the best by contrast matching ranks again; 0: none
//      "steps": 250000, "batch": 64, "micro_batches": 1, "seed": 0, "clip": 0, "recompute": false,
//      "schedule": {"form": "paper",              a warm-up, then down step by step; of stage 2 the floor is 5e-5
//                   "anneal": "cosine",           cosine, linear, none, or step: times "factor" (0.1) every "every" (30000) steps
//                   "peak": 1e-4, "floor": 0, "start": 0, "warmup_steps": 2000},
//               or {"form": "lavis",              a warm-up within the first epoch, then one rate for the whole of an epoch
//                   "anneal": "cosine",           cosine, or step: times "factor" (0.9) every epoch
//                   "peak": 1e-4, "floor": 1e-5, "start": 1e-6, "warmup_steps": 5000},
//      "adamw": {"beta1": 0.9, "beta2": 0.98, "eps": 1e-8, "decay": 0.05, "decays": "paper"},
//      "dropout": 0.1,                            stages 1, 2: in the Q-Former, where BERT has it
//      "uniform_negatives": 0,                    stage 1: the share of matching's negatives that similarity has no part in
//      "save_every": 1000, "keep": 2, "log_every": 1}
#include <algorithm>
#include <set>
#include <tessera/core/json.hpp>
#include <vector>

#include "train.hpp"
#include "weights.hpp"

namespace program {

namespace {

using namespace tessera;

constexpr Index most = Index{1} << 40;

/// An object of the config, each of whose keys is asked for.
class Settings {
  public:
    explicit Settings(JsonValue object) : object_(object) { object.object(); }

    std::string text(const char* key) { return std::string(object_[known(key)].text()); }
    std::string text(const char* key, const char* otherwise) { return object_.text(known(key), otherwise); }
    Index whole(const char* key, Index otherwise, Index lowest, Index highest = most) {
        return object_.whole(known(key), otherwise, lowest, highest);
    }
    Index whole(const char* key, Index lowest) { return object_[known(key)].whole(lowest, most); }
    double number(const char* key, double otherwise, double lowest, double highest) {
        return object_.number(known(key), otherwise, lowest, highest);
    }
    bool flag(const char* key, bool otherwise) { return object_.flag(known(key), otherwise); }
    std::string word(const char* key, const char* otherwise, const std::vector<std::string>& words) {
        const std::string found = text(key, otherwise);
        if (std::ranges::find(words, found) == words.end()) {
            std::string all;
            for (const std::string& each : words) all += (all.empty() ? "" : ", ") + each;
            object_.fail_at(key, Errc::config_value, "expected one of ", all, ", found ", in_quotes(found));
        }
        return found;
    }
    /// Calls f(settings) with an object inside, which may be missing.
    void part(const char* key, const auto& f) { inside(object_.part(known(key)), f); }
    void required_part(const char* key, const auto& f) { inside(object_[known(key)], f); }
    /// errors  a key that nobody has asked for
    void finish() const {
        for (const JsonValue member : object_) {
            if (known_.contains(std::string(member.key()))) continue;
            std::string all;
            for (const std::string& key : known_) all += (all.empty() ? "" : ", ") + key;
            member.fail("expected one of the keys ", all, ", found this one");
        }
    }
    template <class... Parts>
    [[noreturn]] void fail(const char* key, const Parts&... parts) const {
        object_.fail_at(key, Errc::config_value, parts...);
    }

  private:
    static void inside(JsonValue object, const auto& f) {
        Settings settings(object);
        f(settings);
        settings.finish();
    }
    const char* known(const char* key) { return known_.emplace(key), key; }

    JsonValue object_;
    std::set<std::string> known_;
};

TrainData read_data(Settings& settings, bool required) {
    TrainData out;
    out.file = required ? settings.text("file") : settings.text("file", "");
    out.images = settings.text("images", "");
    return out;
}

Anneal read_anneal(Settings& settings, const std::vector<std::string>& forms) {
    const std::string form = settings.word("anneal", "cosine", forms);
    if (form == "linear") return Anneal::linear;
    if (form == "step") return Anneal::step;
    return form == "none" ? Anneal::none : Anneal::cosine;
}

/// A schedule of whichever form; `out` has the defaults.
template <class Form>
Form read_rates(Settings& settings, Form out) {
    out.peak = settings.number("peak", out.peak, 0, 1e3);
    out.floor = settings.number("floor", std::min(out.floor, out.peak), 0, 1e3);
    out.start = settings.number("start", std::min(out.start, out.peak), 0, 1e3);
    out.warmup_steps = settings.whole("warmup_steps", out.warmup_steps, 0);
    if (out.anneal == Anneal::step) out.factor = settings.number("factor", out.factor, 0, 1);
    if constexpr (requires { out.every; })
        if (out.anneal == Anneal::step) out.every = settings.whole("every", out.every, 1);
    try {
        return out.checked();
    } catch (const Error& error) {
        std::string_view said = error.what();  // "[option.value] Schedule: peak: …"
        said.remove_prefix(said.find(": ") + 2);
        settings.fail(std::string(said.substr(0, said.find(':'))).c_str(), said.substr(said.find(": ") + 2));
    }
}

void read_schedule(Settings& settings, TrainConfig& to) {
    if (settings.word("form", "paper", {"paper", "lavis"}) == "lavis") {
        const Anneal anneal = read_anneal(settings, {"cosine", "step"});
        to.lavis_schedule = read_rates(settings, LavisSchedule{.anneal = anneal, .factor = 0.9});
        return;
    }
    const Index steps = to.trainer.steps;
    const Anneal anneal = read_anneal(settings, {"cosine", "linear", "step", "none"});
    to.trainer.rate = read_rates(settings, Schedule{.anneal = anneal,
                                                    .floor = to.stage == "stage2" ? 5e-5 : 0,
                                                    .warmup_steps = std::min<Index>(2000, steps),
                                                    .steps = steps});
}

}  // namespace

TrainConfig read_train_config(const std::string& file) {
    TrainConfig out;
    out.file = file;
    out.text = MappedFile(file).text();
    const JsonFile json(out.text, file, Errc::config_value, JsonNull::refused);
    Settings settings(json.root());
    out.stage = settings.word("stage", "", {"stage1", "stage2", "language"});
    out.shape = settings.text("shape");
    out.out = settings.text("out");
    out.export_to = settings.text("export", "");
    out.feature_cache = settings.text("feature_cache", "");
    settings.part("start", [&](Settings& start) {
        out.vision = start.text("vision", "");
        out.bert = start.text("bert", "");
        out.qformer = start.text("qformer", "");
        out.language = start.text("language", "");
        out.model = start.text("model", "");
        out.tokenizer = start.text("tokenizer", "");
    });
    const std::string weights = settings.word("frozen_weights", "as stored", {"as stored", "f32", "bf16", "f16", "i8"});
    if (weights != "as stored") out.frozen_weights = weights_named(weights);
    if (out.stage != "language" && settings.word("products", "f32", {"f32", "bf16"}) == "bf16") {
        if (weights != "bf16") settings.fail("products", "expected f32 where frozen_weights are not bf16, found bf16");
        out.trainer.products = Products::bf16;
    }
    settings.required_part("data", [&](Settings& data) {
        out.data = read_data(data, true);
        out.data.augment = data.flag("augment", false);
        out.most_tokens = data.whole("most_tokens", 32, 3, 512);
        out.prompt = data.text("prompt", "");
    });

    TrainerOptions& trainer = out.trainer;
    trainer.steps = settings.whole("steps", 1);
    out.batch = settings.whole("batch", 1);
    trainer.micro_batches = settings.whole("micro_batches", 1, 1);
    if (out.batch % trainer.micro_batches != 0)
        settings.fail("micro_batches", "expected a divisor of the batch of ", out.batch, ", found ",
                      trainer.micro_batches);
    settings.part("schedule", [&](Settings& schedule) { read_schedule(schedule, out); });
    settings.part("adamw", [&](Settings& adamw) {
        out.adamw.beta1 = adamw.number("beta1", out.adamw.beta1, 0, 0.999999);
        out.adamw.beta2 = adamw.number("beta2", out.adamw.beta2, 0, 0.999999);
        out.adamw.eps = adamw.number("eps", out.adamw.eps, 0, 0.1);
        out.adamw.decay = adamw.number("decay", out.adamw.decay, 0, 100);
        if (adamw.word("decays", "paper", {"paper", "lavis"}) == "lavis") out.adamw.decay_of = Decay::lavis();
    });
    trainer.clip = settings.number("clip", 0, 0, 1e9);
    trainer.recompute = settings.flag("recompute", false) ? Recompute::blocks : Recompute::nothing;
    trainer.seed = static_cast<std::uint64_t>(settings.whole("seed", 0, 0));
    trainer.save_every = settings.whole("save_every", 1000, 1);
    trainer.log_every = settings.whole("log_every", 1, 1);
    if (out.stage != "language") out.dropout = static_cast<float>(settings.number("dropout", 0.1, 0, 0.99));
    out.keep = settings.whole("keep", 2, 1, 1000000);
    if (out.stage == "stage1") out.uniform_negatives = settings.number("uniform_negatives", 0, 0, 1);
    settings.part("validation", [&](Settings& validation) {
        trainer.validate_every = validation.whole("every", 0, 0);
        out.validation = read_data(validation, false);
        out.validation_rows = validation.whole("rows", 256, 1);
        if (out.stage == "stage1") out.rerank = validation.whole("rerank", 128, 0);
        if (trainer.validate_every > 0 && out.validation.file.empty())
            validation.fail("file", "expected the data to validate with, found none");
    });
    settings.finish();
    return out;
}

}  // namespace program
