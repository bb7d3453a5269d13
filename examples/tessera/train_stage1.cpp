#include <tessera/text/read/tokenizer.hpp>
#include <tessera/train/stage1.hpp>
#include <tessera/train/start.hpp>

#include "train_captions.hpp"
#include "train_models.hpp"

namespace program {

namespace {

/// Losses, R@1 by contrast, and the accuracy of matching, over the first rows of the validation data.
template <class Model, class Data>
std::vector<LogValue> validate_stage1(const Model& model, Data& data, const Stage1Options& options, Index rows) {
    constexpr Index width = Model::embedding, queries = Model::queries;
    const Index batches = std::min(data.steps_per_epoch(), std::max<Index>(rows / data(0).rows.size(), 1));
    std::vector<float> images, texts;
    std::vector<Index> ids;
    double itc = 0, itm = 0, itg = 0, matched = 0;
    for (Index i = 0; i < batches; ++i) {
        const auto batch = data(i);
        Scratch s;
        const auto frame = s.frame();
        const auto losses = stage1_losses(model, {batch.patches, batch.rows.texts, batch.rows.image_ids}, s, options);
        itc += double{losses.itc(0, 0)}, itm += double{losses.itm(0, 0)}, itg += double{losses.itg(0, 0)};
        matched += double{losses.itm_accuracy};
        images.insert(images.end(), losses.images.data(), losses.images.data() + losses.images.size());
        texts.insert(texts.end(), losses.texts.data(), losses.texts.data() + losses.texts.size());
        ids.insert(ids.end(), batch.rows.image_ids.begin(), batch.rows.image_ids.end());
    }
    const auto n = std::ssize(ids);
    Scratch s;
    const auto frame = s.frame();
    const auto cosines = Model::itc({images.data(), {n * queries, width}}, {texts.data(), {n, width}}, s);
    Index by_image = 0, by_text = 0;
    for (Index i = 0; i < n; ++i) {
        Index text = 0, image = 0;
        for (Index j = 1; j < n; ++j) {
            if (cosines(i, j) > cosines(i, text)) text = j;
            if (cosines(j, i) > cosines(image, i)) image = j;
        }
        by_image += ids[static_cast<std::size_t>(text)] == ids[static_cast<std::size_t>(i)];
        by_text += ids[static_cast<std::size_t>(image)] == ids[static_cast<std::size_t>(i)];
    }
    const auto share = [&](Index right) { return static_cast<double>(right) / static_cast<double>(n); };
    const auto mean = [&](double sum) { return sum / static_cast<double>(batches); };
    return {{"validation.itc", mean(itc)},
            {"validation.itm", mean(itm)},
            {"validation.itg", mean(itg)},
            {"validation.itm_accuracy", mean(matched)},
            {"validation.r1_image_to_text", share(by_image)},
            {"validation.r1_text_to_image", share(by_text)}};
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

    Captions<Vision> data(config, config.data, model.vision, {}, cache_file(config, "train"), config.micro_batch(),
                          true, encode);
    std::optional<Captions<Vision>> validation;
    if (config.trainer.validate_every > 0)
        validation.emplace(config, config.validation, model.vision, Preprocess{}, cache_file(config, "validation"),
                           config.micro_batch(), false, encode);
    std::vector<std::filesystem::path> copies =
        write_config(config.out, decltype(Model::vision)::config, decltype(Model::qformer)::config);
    for (const auto& file : files_beside_weights(words, false)) copies.push_back(file);

    Stage1Options options{
        .dec = tokenizer->find("[DEC]").value_or(static_cast<Token>(decltype(Model::qformer)::config.vocabulary - 1))};
    options.negatives.uniform = static_cast<float>(config.uniform_negatives);
    return train_in_run(
        config, model, learns_in_stage1, copies,
        [&](const MicroBatch& at, Tape& tape) -> StepLosses {
            const auto batch = data(at.number);
            tape.dropout({.hidden = config.dropout, .attention = config.dropout, .seed = at.seed});
            options.negatives.seed = at.seed;
            const auto losses =
                stage1_losses(model, {batch.patches, batch.rows.texts, batch.rows.image_ids}, tape, options);
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
            return validate_stage1(model, *validation, fixed, config.validation_rows);
        });
}

}  // namespace

std::optional<int> train_stage1(const TrainConfig& config) {
    return with_shape(stage1_models, config.shape,
                      [&]<class Model>(const Compiled<Model>&) { return train_it<Model>(config); });
}

}  // namespace program
