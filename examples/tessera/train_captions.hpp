// Captions in batches, with what the frozen image encoder makes of their pictures: from a cache on the disk, or computed anew where
// pictures are augmented.
#pragma once
#include <tessera/checkpoint/model_config.hpp>
#include <tessera/text/caption_text.hpp>
#include <tessera/train/data/batch.hpp>

#include "train_loop.hpp"

namespace program {

/// Training reads pictures as squares, whatever their shape.
inline tessera::Preprocess as_squares(tessera::Preprocess preprocess, tessera::Index side) {
    preprocess.do_resize = true;
    preprocess.do_center_crop = false;
    preprocess.shortest_edge = 0;
    preprocess.height = preprocess.width = side;
    return preprocess;
}

template <class Vision>
class Captions {
    static constexpr tessera::VitConfig vit = Vision::config;

  public:
    /// Valid until the next one.
    struct Batch {
        tessera::CaptionBatch rows;
        tessera::ConstRows<vit.width> patches;
    };

    /// `encode(caption)` makes the tokens of a text. Augmented pictures are drawn by the seed of training.
    Captions(const TrainConfig& config, const TrainData& data, const Vision& vision, const tessera::Preprocess& as,
             const std::filesystem::path& cache, tessera::Index batch, bool shuffle, auto&& encode)
        : vision_(vision), file_(data.file, data.images), texts_(file_.captions(), encode) {
        using namespace tessera;
        frozen_.set_products(config.trainer.products);
        ReadPictures pictures{.preprocess = as_squares(as, vit.image), .seed = config.trainer.seed};
        file_.pictures().expect_files();
        if (data.augment) pictures.augment = Augment{.size = vit.image};
        ImageRows images = picture_patches(file_.pictures(), pictures, vit.patch);
        if (!data.augment) {
            const FeatureShape shape{file_.pictures().size(), vit.tokens(), vit.width,
                                     config.frozen_weights == DType::bf16 ? DType::bf16 : DType::f32};
            ProgressBar bar("image features", is_terminal(stderr), Unit::count);
            if (cache.has_parent_path()) std::filesystem::create_directories(cache.parent_path());
            cache_.emplace(build_feature_cache(
                cache,
                feature_key(vision, pictures.preprocess, pictures.decode, file_.pictures(), config.trainer.products),
                shape, 8, [&](Index first, Index count, float* out) { compute(images, first, count, out); },
                StaleCache::refuse, [&](Index done, Index all) { bar(done, all, {}); }));
            images = cached_features(*cache_);
        }
        batches_.emplace(file_, texts_, std::move(images),
                         SamplerOptions{.batch = std::min(batch, shuffle ? batch : file_.size()),
                                        .seed = config.trainer.seed,
                                        .shuffle = shuffle,
                                        .drop_last = shuffle});
    }

    tessera::Index size() const { return file_.size(); }
    tessera::Index steps_per_epoch() const { return batches_->sampler().steps_per_epoch(); }
    const tessera::TrueCaptions& true_captions() const { return batches_->true_captions(); }
    Batch operator()(tessera::Index number) {
        const tessera::CaptionBatch rows = (*batches_)(number);
        if (cache_) return {rows, {rows.images.data(), {rows.images.extent(0), vit.width}}};
        frozen_.clear();
        return {rows, vision_({rows.images.data(), {rows.images.extent(0), vit.patch_pixels()}}, frozen_)};
    }

  private:
    void compute(const tessera::ImageRows& images, tessera::Index first, tessera::Index count, float* out) {
        using namespace tessera;
        frozen_.clear();
        const auto pixels = frozen_.rows<vit.patch_pixels()>(count * images.rows);
        for (Index i = 0; i < count; ++i)
            images.read(first + i, 0, 0, pixels.data() + i * images.rows * images.columns);
        const auto features = vision_(pixels, frozen_);
        std::ranges::copy(features.span(), out);
    }

    const Vision& vision_;
    tessera::CaptionFile file_;
    tessera::TokenizedTexts texts_;
    std::optional<tessera::FeatureCache> cache_;
    std::optional<tessera::CaptionBatches> batches_;
    tessera::Scratch frozen_;
};

/// Where features of the training or the validation data are kept.
inline std::filesystem::path cache_file(const TrainConfig& config, const char* of) {
    const std::filesystem::path base = config.feature_cache.empty() ? config.out / "features" : config.feature_cache;
    return base.string() + '.' + of + ".safetensors";
}

/// Writes config.json and preprocessor_config.json of a BLIP-2 into `folder`, as Hugging Face has them, and returns their paths. Pictures
/// are squares; the rest is as `preprocess` says.
/// `language` is the config.json of the language model, and generation_config.json says its `tokens`; empty for retrieval.
inline std::vector<std::filesystem::path> write_config(const std::filesystem::path& folder,
                                                       const tessera::VitConfig& vision,
                                                       const tessera::QFormerConfig& qformer,
                                                       const tessera::Preprocess& preprocess,
                                                       const std::filesystem::path& language = {},
                                                       const tessera::Blip2Tokens& tokens = {}) {
    using namespace tessera;
    const auto name = [](Activation a) {
        return a == Activation::quick_gelu ? "quick_gelu" : a == Activation::relu ? "relu" : "gelu";
    };
    Json config = {
        {"model_type", "blip-2"},
        {"architectures", {language.empty() ? "Blip2ForImageTextRetrieval" : "Blip2ForConditionalGeneration"}},
        {"num_query_tokens", qformer.queries}};
    config["vision_config"] = {{"model_type", "blip_2_vision_model"}, {"hidden_size", vision.width},
                               {"image_size", vision.image},          {"intermediate_size", vision.hidden},
                               {"layer_norm_eps", vision.output_eps}, {"hidden_act", name(vision.activation)},
                               {"num_attention_heads", vision.heads}, {"num_hidden_layers", vision.layers},
                               {"patch_size", vision.patch},          {"qkv_bias", true}};
    config["qformer_config"] = {
        {"model_type", "blip_2_qformer"},         {"cross_attention_frequency", qformer.cross_every},
        {"encoder_hidden_size", qformer.context}, {"hidden_act", name(qformer.activation)},
        {"hidden_size", qformer.width},           {"intermediate_size", qformer.hidden},
        {"layer_norm_eps", qformer.eps},          {"max_position_embeddings", qformer.positions},
        {"num_attention_heads", qformer.heads},   {"num_hidden_layers", qformer.layers}};
    if (qformer.has_text()) {
        config["qformer_config"]["vocab_size"] = qformer.vocabulary;
        config["qformer_config"]["use_qformer_text_input"] = true;
        config["image_text_hidden_size"] = qformer.embedding;
    }
    if (!language.empty()) {
        const Json found = Json::parse(std::string(MappedFile(language).text()));
        config["text_config"] = found.value("text_config", found);  // of a BLIP-2, its part
        config["image_token_index"] = tokens.image;
    }
    const Json pictures = {{"image_processor_type", "BlipImageProcessor"},
                           {"do_convert_rgb", true},
                           {"do_normalize", preprocess.do_normalize},
                           {"do_rescale", preprocess.do_rescale},
                           {"do_resize", true},
                           {"image_mean", preprocess.image_mean},
                           {"image_std", preprocess.image_std},
                           {"resample", 3},
                           {"rescale_factor", preprocess.rescale_factor},
                           {"size", {{"height", vision.image}, {"width", vision.image}}}};
    std::filesystem::create_directories(folder);
    replace_file(folder / "config.json", config.dump(1) + '\n');
    replace_file(folder / "preprocessor_config.json", pictures.dump(1) + '\n');
    std::vector<std::filesystem::path> out{folder / "config.json", folder / "preprocessor_config.json"};
    if (!language.empty()) {
        const Json generation = {
            {"bos_token_id", tokens.begin}, {"eos_token_id", tokens.end}, {"pad_token_id", tokens.padding}};
        out.push_back(folder / "generation_config.json");
        replace_file(out.back(), generation.dump(1) + '\n');
    }
    return out;
}

}  // namespace program
