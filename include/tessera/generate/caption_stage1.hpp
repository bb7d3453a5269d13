// Captions in the Q-Former's own words, from what the first stage trains.
#pragma once
#include <tessera/generate/caption.hpp>
#include <tessera/generate/style.hpp>
#include <tessera/model/blip2/itg.hpp>
#include <tessera/model/qformer/stage1.hpp>

namespace tessera::inline TESSERA_ISA {

/// What LAVIS generates with by default: three beams, 10 to 30 tokens of which [DEC] is the first.
/// source  LAVIS, Blip2Qformer.generate
inline GenerateOptions stage1_options() { return style_defaults(Style::lavis, LanguageFamily::qformer).caption; }

namespace detail {

/// [DEC], which is the last word of the vocabulary, and the words of `prompt`.
template <class Query>
std::vector<Token> stage1_prompt(const Tokenizer& tokenizer, const std::string& prompt) {
    std::vector<Token> ids{static_cast<Token>(Query::config.vocabulary) - 1};
    for (const Token id : tokenizer.encode(prompt, Specials::omit)) {
        if (tokenizer.is_special(id) && id != tokenizer.special_tokens().unknown)
            throw Error(Errc::option_value, "prompt: expected text, found the special token ",
                        in_quotes(tokenizer.piece(id)));
        ids.push_back(id);
    }
    return ids;
}

/// A text for each picture of `keys`, from one of `prompts` on to [SEP].
template <class Query>
std::vector<Caption> write_stage1(const auto& model, const Tokenizer& tokenizer, const ImageKeys<Query::width>& keys,
                                  std::span<std::vector<Token>> prompts, const GenerateOptions& options, Scratch& s) {
    const std::optional<Token> end = tokenizer.special_tokens().sep;
    if (!end)
        throw Error(Errc::tokenizer_format, "tokenizer: expected the token [SEP], which ends captions, found none");
    const auto decoder = model.decoder(keys);
    std::vector<Prompt<Query::width>> begin;
    for (const auto& ids : prompts) begin.push_back({{}, ids});
    auto out = write(decoder, begin, tokenizer, {&*end, 1}, options, s);
    for (std::size_t i = 0; i < out.size(); ++i) out[i].prompt = std::move(prompts[i]);
    return out;
}

}  // namespace detail

/// Describes `pictures` pictures by image-grounded text generation: from [DEC], which is the last word of the vocabulary, and the
/// words of options.prompt, if there are any, to [SEP].
/// shape   patches [n·P, Context], which the image encoder's blocks made of n pictures; model.vision_norm is applied here
/// errors  those of captions; Errc::tokenizer_format for a tokenizer without [SEP]
/// cost    one pass of the Q-Former's queries, then 0.22 Gflop for each token and beam of a picture
template <class Query>
std::vector<Caption> captions(const Blip2Stage1<Query>& model, const Tokenizer& tokenizer,
                              ConstRows<Query::context> patches, Index pictures, const GenerateOptions& options,
                              Scratch& s) {
    std::vector<std::vector<Token>> prompts(static_cast<std::size_t>(pictures),
                                            detail::stage1_prompt<Query>(tokenizer, options.prompt));
    const auto frame = s.frame();
    detail::Stopwatch watch;
    const auto keys = model.qformer.read(model.vision_norm(patches, s), s, pictures);
    const double seconds = watch.lap();
    auto out = detail::write_stage1<Query>(model, tokenizer, keys, prompts, options, s);
    for (Caption& caption : out) caption.seconds.qformer = seconds;
    return out;
}

/// The same from pictures, by a model with its image encoder; pictures and prompts as with a BLIP-2 that has a language model.
/// ```cpp
/// using Model = Blip2Itg<Vit<eva_vit_g14>, QFormer<qformer_itm_vit_g>>;
/// const auto blip2 = load_parts<Model>({.vision = "eva_vit_g.pth", .qformer = "blip2_pretrained.pth", .tokenizer = "bert"});
/// std::cout << caption(blip2, read_image("cat.jpg"), stage1_options());
/// ```
/// errors  those above
/// cost    0.54 Tflop for a picture, then 0.22 Gflop for each token and beam of a text
template <class Vision, class Query>
std::vector<Caption> captions(const Blip2Itg<Vision, Query>& model, const Blip2Processor& processor,
                              std::span<const Image> images, std::span<const std::string> prompts,
                              const GenerateOptions& options, Scratch& s) {
    const std::span<const std::string> texts = detail::prompts_of(images, prompts, options);
    const std::size_t count = images.empty() ? 0 : std::max(images.size(), texts.size());
    if (count == 0) return {};
    std::vector<std::vector<Token>> begin;
    for (std::size_t i = 0; i < count; ++i)
        begin.push_back(detail::stage1_prompt<Query>(*processor.tokenizer, texts[texts.size() == 1 ? 0 : i]));

    const auto frame = s.frame();
    std::vector<Caption::Seconds> seconds(images.size());
    std::vector<Rows<Vision::width>> image_embeds;
    detail::Stopwatch watch;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const ImagePatches<Vision> patches(images[i], processor.preprocess, s);
        seconds[i].preprocess = watch.lap();
        image_embeds.push_back(model.vision(patches.rows, patches.grid, s));
        seconds[i].vision = watch.lap();
        if (image_embeds[i].extent(0) != image_embeds[0].extent(0))
            throw Error(Errc::option_value, "pictures: expected all of ", image_embeds[0].extent(0) - 1,
                        " patches, as the first, found one of ", image_embeds[i].extent(0) - 1);
    }
    const Index each = image_embeds[0].extent(0);
    const auto all = s.rows<Vision::width>(static_cast<Index>(count) * each);  // again for each of its texts
    for (std::size_t i = 0; i < count; ++i)
        copy_rows(all.slice(static_cast<Index>(i) * each, each), image_embeds[images.size() == 1 ? 0 : i], s);
    const auto keys = model.qformer.read(all, s, static_cast<Index>(count));
    const double qformer = watch.lap();
    auto out = detail::write_stage1<Query>(model, *processor.tokenizer, keys, begin, options, s);
    for (std::size_t i = 0; i < count; ++i) {
        const Caption::Seconds& seen = seconds[images.size() == 1 ? 0 : i];
        out[i].seconds.preprocess = seen.preprocess;
        out[i].seconds.vision = seen.vision;
        out[i].seconds.qformer = qformer;
    }
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
