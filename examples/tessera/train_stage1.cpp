#include <tessera/generate/retrieve.hpp>
#include <tessera/image/read_preprocess.hpp>
#include <tessera/text/read/tokenizer.hpp>
#include <tessera/train/stage1.hpp>
#include <tessera/train/start.hpp>

#include "train_captions.hpp"
#include "train_models.hpp"

namespace program {

namespace {

/// Losses, the accuracy of matching, and R@1 by contrast and after matching has ranked the best again, over the first rows of the
/// validation data.
template <class Model, class Vision>
std::vector<LogValue> validate_stage1(const TrainConfig& config, const Model& model, Captions<Vision>& data,
                                      const Stage1Options& options) {
    constexpr Index width = Model::embedding, queries = Model::queries, tokens = Vision::config.tokens();
    const Index each = data(0).rows.size();
    const Index batches = std::min(data.steps_per_epoch(), std::max<Index>(config.validation_rows / each, 1));
    std::vector<float> image_features, text_features;
    std::vector<Index> ids, captions;
    TokenizedTexts texts;
    double itc = 0, itm = 0, itg = 0, matched = 0;
    Scratch s;
    s.set_products(config.trainer.products);
    for (Index number = 0; number < batches; ++number) {
        const auto batch = data(number);
        const auto frame = s.frame();
        const auto losses = stage1_losses(model, {batch.patches, batch.rows.texts, batch.rows.groups}, s, options);
        itc += double{losses.itc(0, 0)}, itm += double{losses.itm(0, 0)}, itg += double{losses.itg(0, 0)};
        matched += double{losses.itm_accuracy};
        image_features.insert(image_features.end(), losses.images.begin(), losses.images.end());
        text_features.insert(text_features.end(), losses.texts.begin(), losses.texts.end());
        ids.insert(ids.end(), batch.rows.image_ids.begin(), batch.rows.image_ids.end());
        captions.insert(captions.end(), batch.rows.captions.begin(), batch.rows.captions.end());
        for (Index i = 0; i < batch.rows.size(); ++i) texts.push_back(batch.rows.texts[i]);
    }
    const auto mean = [&](double sum) { return sum / static_cast<double>(batches); };
    std::vector<LogValue> out{{"validation.itc", mean(itc)},
                              {"validation.itm", mean(itm)},
                              {"validation.itg", mean(itg)},
                              {"validation.itm_accuracy", mean(matched)}};

    const Index n = std::ssize(ids);
    const auto frame = s.frame();
    const auto by_contrast = rank_by_contrast(
        Model::itc({image_features.data(), {n * queries, width}}, {text_features.data(), {n, width}}, s));
    const auto right = [&](Index picture, Index text) {
        return data.true_captions()(ids[static_cast<std::size_t>(picture)], captions[static_cast<std::size_t>(text)]);
    };
    const Recall contrast = recall_at(1, by_contrast, right);
    out.insert(out.end(), {{"validation.r1_image_to_text", contrast.image_to_text},
                           {"validation.r1_text_to_image", contrast.text_to_image}});
    if (config.rerank == 0) return out;

    Index held = -1;  // the batch whose patches these are
    ConstRows<Vision::width> patches;
    const auto read = [&](Index picture, Scratch& scratch) {
        if (picture / each != held) patches = data(held = picture / each).patches;
        const auto own = patches.slice(picture % each * tokens, tokens);
        return model.qformer.read(model.vision_norm(own, scratch), scratch);
    };
    const Recall ranked = recall_at(1, rerank(model, by_contrast, texts, config.rerank, read, s), right);
    out.insert(out.end(), {{"validation.r1_image_to_text_reranked", ranked.image_to_text},
                           {"validation.r1_text_to_image_reranked", ranked.text_to_image}});
    return out;
}

/// How pictures are read: as the folder of the Q-Former says that is gone on with, or else that of the image encoder, or else BLIP-2.
Preprocess read_preprocess_of(const TrainConfig& config) {
    for (const std::string& part : {config.qformer, config.vision}) {
        if (part.empty()) continue;
        const std::filesystem::path folder = resolve_model(part);
        std::error_code ignored;
        if (std::filesystem::exists(folder / "preprocessor_config.json", ignored))
            return read_folder_preprocess(folder);
    }
    return {};
}

template <class Model>
int train_it(const TrainConfig& config) {
    using Vision = decltype(Model::vision);
    Model model;
    {
        ProgressBar bar("loading");
        load_vision(model.vision, required(config, "vision", config.vision), frozen(config, bar));
    }
    if (config.bert.empty() == config.qformer.empty())
        throw Error(Errc::config_value, config.at("start"), ": expected either bert or qformer, found ",
                    config.bert.empty() ? "neither" : "both");
    const Checkpoint begun(resolve_model(config.bert.empty() ? config.qformer : config.bert));
    if (config.bert.empty())
        stage1_from_checkpoint(model, begun, config.trainer.seed);
    else
        stage1_from_bert(model, begun, config.trainer.seed);
    const std::filesystem::path words =
        config.tokenizer.empty() ? begun.folder() : std::filesystem::path(resolve_model(config.tokenizer));
    const auto tokenizer = read_tokenizer(words);
    const auto encode = [&](const std::string& caption) {
        return encode_for_qformer(*tokenizer, caption_text(caption, config.prompt), config.most_tokens);
    };

    const Preprocess preprocess = read_preprocess_of(config);
    Captions<Vision> data(config, config.data, model.vision, preprocess, cache_file(config, "train"),
                          config.micro_batch(), true, encode);
    std::optional<Captions<Vision>> validation;
    if (config.trainer.validate_every > 0)
        validation.emplace(config, config.validation, model.vision, preprocess, cache_file(config, "validation"),
                           config.micro_batch(), false, encode);
    std::vector<std::filesystem::path> copies =
        write_config(config.out, decltype(Model::vision)::config, decltype(Model::qformer)::config, preprocess);
    for (const auto& file : files_beside_weights(words, false)) copies.push_back(file);

    Stage1Options options{
        .dec = tokenizer->find("[DEC]").value_or(static_cast<Token>(decltype(Model::qformer)::config.vocabulary - 1))};
    options.negatives.uniform = static_cast<float>(config.uniform_negatives);
    return train_in_run(
        config, model, learns_in_stage1, copies, data.steps_per_epoch(),
        [&](const MicroBatch& at, Tape& tape) -> StepLosses {
            const auto batch = data(at.number);
            tape.dropout({.hidden = config.dropout, .attention = config.dropout, .seed = at.seed});
            options.negatives.seed = at.seed;
            const auto losses =
                stage1_losses(model, {batch.patches, batch.rows.texts, batch.rows.groups}, tape, options);
            return {losses.total,
                    {{"loss.itc", losses.itc},
                     {"loss.itm", losses.itm},
                     {"loss.itg", losses.itg},
                     {"itm_accuracy", losses.itm_accuracy},
                     {"temperature", *model.temperature.data()}}};
        },
        [&](Index) {
            Stage1Options fixed = options;
            fixed.negatives.seed = 0;
            return validate_stage1(config, model, *validation, fixed);
        });
}

}  // namespace

std::optional<int> train_stage1(const TrainConfig& config) {
    return with_shape(stage1_models, config.shape,
                      [&]<class Model>(const Compiled<Model>&) { return train_it<Model>(config); });
}

}  // namespace program
