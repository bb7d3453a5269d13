// Stage 2 for whatever language model: the parts it starts from, its texts, the loop.
#pragma once
#include <tessera/text/read/tokenizer.hpp>
#include <tessera/train/start_stage2.hpp>

#include "train_captions.hpp"
#include "train_models.hpp"
#include "train_texts.hpp"

namespace program {

/// Adds a caption: OPT reads the prompt with what stands in front of it, and writes the caption and a newline; without a prompt all is
/// scored.
/// source  LAVIS, Blip2OPT
template <OptConfig C>
void push_prompted(PromptedTexts& to, const Opt<C>&, const Tokenizer& tokenizer, const std::string& prompt,
                   const std::string& caption, Index most, std::uint64_t) {
    const std::vector<Token> ids = encode_for_opt(tokenizer, prompt + caption, most);
    const std::size_t read = prompt.empty() ? 0 : std::min(tokenizer.encode(prompt).size(), ids.size());
    to.prompts.push_back(std::span(ids).first(read)), to.texts.push_back(std::span(ids).subspan(read));
}
/// T5's encoder reads the prompt, or the first words of the caption, by chance how many; the decoder writes what follows.
/// source  Li 2023 (BLIP-2) §3.2
template <T5Config C>
void push_prompted(PromptedTexts& to, const T5<C>&, const Tokenizer& tokenizer, const std::string& prompt,
                   const std::string& caption, Index most, std::uint64_t seed) {
    if (prompt.empty()) return cut_at_random(to, encode_for_t5(tokenizer, caption, most), seed);
    to.prompts.push_back(encode_for_t5(tokenizer, prompt, most));
    to.texts.push_back(encode_for_t5(tokenizer, caption, most));
}

template <class Model>
int train_stage2_model(const TrainConfig& config) {
    using Vision = decltype(Model::vision);
    Pipeline<Model> blip2;
    std::vector<std::filesystem::path> copies;
    {
        ProgressBar bar("loading");
        if (!config.model.empty()) {
            if (!config.vision.empty() || !config.qformer.empty() || !config.language.empty())
                throw Error(Errc::config_value, config.at("start"),
                            ": expected either model, or vision, qformer and language, found both");
            blip2 = stage2_from_checkpoint<Model>(config.model, frozen(config, bar));
            copies = files_beside_weights(resolve_model(config.model), true);
        } else {
            const PartPaths parts{.vision = required(config, "vision", config.vision),
                                  .qformer = required(config, "qformer", config.qformer),
                                  .language = required(config, "language", config.language),
                                  .tokenizer = config.tokenizer};
            blip2 = stage2_from_parts<Model>(parts, config.trainer.seed, frozen(config, bar));
            const std::filesystem::path language = resolve_model(parts.language);
            copies = write_config(config.out, Vision::config, decltype(Model::qformer)::config,
                                  blip2.processor.preprocess, language / "config.json", blip2.processor.tokens);
            const std::filesystem::path words =
                parts.tokenizer.empty() ? language : std::filesystem::path(resolve_model(parts.tokenizer));
            for (const auto& file : files_beside_weights(words, false)) copies.push_back(file);
        }
    }
    Model& model = blip2.model;
    const Tokenizer& tokenizer = *blip2.processor.tokenizer;

    const auto encode = [](const std::string&) { return std::vector<Token>(1); };  // texts are cut anew for each batch
    const auto texts_of = [](const TrainData& data) {
        const CaptionFile file(data.file, data.images);
        std::vector<std::string> out;
        for (const std::string& caption : file.captions()) out.push_back(caption_text(caption));
        return out;
    };
    Captions<Vision> data(config, config.data, model.vision, blip2.processor.preprocess, cache_file(config, "train"),
                          config.micro_batch(), true, encode);
    const std::vector<std::string> captions = texts_of(config.data);
    std::optional<Captions<Vision>> validation;
    std::vector<std::string> validation_captions;
    if (config.trainer.validate_every > 0) {
        validation.emplace(config, config.validation, model.vision, blip2.processor.preprocess,
                           cache_file(config, "validation"), config.micro_batch(), false, encode);
        validation_captions = texts_of(config.validation);
    }

    PromptedTexts texts;
    const auto loss = [&](const auto& batch, const std::vector<std::string>& from, std::uint64_t seed, Scratch& s) {
        texts.clear();
        for (std::size_t i = 0; i < batch.rows.captions.size(); ++i)
            push_prompted(texts, model.language, tokenizer, config.prompt,
                          from[static_cast<std::size_t>(batch.rows.captions[i])], config.most_tokens,
                          split_mix(seed + i));
        return stage2_loss(model, {batch.patches, texts.prompts, texts.texts}, s);
    };
    return train_in_run(
        config, model, learns_in_stage2, copies, data.steps_per_epoch(),
        [&](const MicroBatch& at, Tape& tape) -> StepLosses {
            tape.dropout({.hidden = config.dropout, .attention = config.dropout, .seed = at.seed});
            return loss(data(at.number), captions, at.seed, tape);
        },
        [&](Index) -> std::vector<LogValue> {
            const Index each = std::min<Index>(config.micro_batch(), validation->size());
            const Index batches =
                std::min(validation->steps_per_epoch(), std::max<Index>(config.validation_rows / each, 1));
            double sum = 0;
            Scratch s;
            s.set_products(config.trainer.products);
            for (Index i = 0; i < batches; ++i) {
                const auto frame = s.frame();
                sum += double{loss((*validation)(i), validation_captions, static_cast<std::uint64_t>(i), s)(0, 0)};
            }
            return {{"validation.loss", sum / static_cast<double>(batches)}};
        });
}

}  // namespace program
