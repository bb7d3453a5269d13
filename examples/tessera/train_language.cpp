#include <tessera/text/read/tokenizer.hpp>
#include <tessera/train/data/batch.hpp>
#include <tessera/train/data/text_file.hpp>
#include <tessera/train/fresh.hpp>
#include <tessera/train/loss/lm.hpp>

#include "train_loop.hpp"
#include "train_models.hpp"
#include "train_texts.hpp"

namespace program {

namespace {

template <OptConfig C>
std::vector<Token> encode(const Opt<C>&, const Tokenizer& tokenizer, const std::string& text, Index most) {
    return encode_for_opt(tokenizer, text, most);
}
template <T5Config C>
std::vector<Token> encode(const T5<C>&, const Tokenizer& tokenizer, const std::string& text, Index most) {
    return encode_for_t5(tokenizer, text, most);
}

/// The words that follow.
template <OptConfig C>
Rows<1> loss_of(const Opt<C>& model, const TextBatch& texts, std::uint64_t, PromptedTexts&, Scratch& s) {
    return lm_loss(model, s.rows<C.embedding>(0), texts, {}, s);
}
/// The part of each text that follows a prefix, which is cut by chance, into `cut`: a tape reads that until it goes back.
template <T5Config C>
Rows<1> loss_of(const T5<C>& model, const TextBatch& texts, std::uint64_t seed, PromptedTexts& cut, Scratch& s) {
    cut.clear();
    for (Index i = 0; i < texts.count(); ++i)
        cut_at_random(cut, texts[i], split_mix(seed + static_cast<std::uint64_t>(i)));
    return prefix_lm_loss(model, s.rows<C.width>(0), cut.prompts, cut.texts, s);
}

/// Whether config.json of the folder is that of the model, and not of a BLIP-2 whose tokenizer is taken.
bool is_language_model(const std::filesystem::path& folder) {
    std::error_code ignored;
    return std::filesystem::exists(folder / "config.json", ignored) && ModelConfig(folder).model_type != "blip-2";
}

template <class Model>
int train_it(const TrainConfig& config) {
    Model model;
    std::filesystem::path folder = resolve_model(required(config, "tokenizer", config.tokenizer));
    if (config.model.empty()) {
        for (const NamedLeaf& parameter : leaves_of(model)) begin_fresh(parameter, config.trainer.seed);
    } else {
        ProgressBar bar("loading");
        LoadOptions options = frozen(config, bar);
        options.weight_dtype = DType::f32;  // all of it learns
        load_weights(model, Checkpoint(resolve_model(config.model)), options);
    }
    const auto tokenizer = read_tokenizer(folder);
    const auto tokens_of = [&](const std::filesystem::path& file) {
        const std::vector<std::string> documents = read_documents(file);
        return TokenizedTexts(
            documents, [&](const std::string& text) { return encode(model, *tokenizer, text, config.most_tokens); });
    };
    const TokenizedTexts texts = tokens_of(config.data.file);
    TextBatches data(texts, {.batch = config.micro_batch(), .seed = config.trainer.seed});
    TokenizedTexts held_out;
    std::optional<TextBatches> validation;
    if (config.trainer.validate_every > 0) {
        held_out = tokens_of(config.validation.file);
        validation.emplace(held_out, SamplerOptions{.batch = std::min(config.micro_batch(), held_out.count()),
                                                    .shuffle = false,
                                                    .drop_last = false});
    }
    PromptedTexts cut;
    return train_in_run(
        config, model, {}, files_beside_weights(folder, is_language_model(folder)), data.sampler().steps_per_epoch(),
        [&](const MicroBatch& at, Tape& tape) -> StepLosses {
            return loss_of(model, data(at.number), at.seed, cut, tape);
        },
        [&](Index) -> std::vector<LogValue> {
            const Index batches = std::min(validation->sampler().steps_per_epoch(),
                                           std::max<Index>(config.validation_rows / config.micro_batch(), 1));
            double sum = 0;
            for (Index i = 0; i < batches; ++i) {
                Scratch s;
                const auto frame = s.frame();
                sum += double{loss_of(model, (*validation)(i), static_cast<std::uint64_t>(i), cut, s)(0, 0)};
            }
            return {{"validation.loss", sum / static_cast<double>(batches)}};
        });
}

}  // namespace

std::optional<int> train_language(const TrainConfig& config) {
    return with_shape(language_models, config.shape,
                      [&]<class Model>(const Compiled<Model>&) { return train_it<Model>(config); });
}

}  // namespace program
