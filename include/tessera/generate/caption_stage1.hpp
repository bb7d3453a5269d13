// Captions in the Q-Former's own words, from what the first stage trains.
#pragma once
#include <tessera/generate/caption.hpp>
#include <tessera/model/qformer/stage1.hpp>

namespace tessera::inline TESSERA_ISA {

/// What LAVIS generates with by default: three beams, 10 to 30 tokens of which [DEC] is the first.
/// source  LAVIS, Blip2Qformer.generate
inline GenerateOptions stage1_options() { return {.max_tokens = 29, .min_tokens = 9, .beams = 3}; }

/// Describes `pictures` pictures by image-grounded text generation: from [DEC], which is the last word of the vocabulary, and the
/// words of options.prompt, if there are any, to [SEP].
/// shape   patches [n·P, Context], which the image encoder's blocks made of n pictures; model.vision_norm is applied here
/// errors  those of captions; Errc::tokenizer_format for a tokenizer without [SEP]
/// cost    one pass of the Q-Former's queries, then 0.22 Gflop for each token and beam of a picture
template <class Query>
std::vector<Caption> captions(const Blip2Stage1<Query>& model, const Tokenizer& tokenizer,
                              ConstRows<Query::context> patches, Index pictures, const GenerateOptions& options,
                              Scratch& s) {
    const std::optional<Token> end = tokenizer.special_tokens().sep;
    if (!end)
        throw Error(Errc::tokenizer_format, "tokenizer: expected the token [SEP], which ends captions, found none");
    std::vector<Token> ids{static_cast<Token>(Query::config.vocabulary) - 1};
    const std::vector<Token> words = tokenizer.encode(options.prompt, Specials::omit);
    ids.insert(ids.end(), words.begin(), words.end());

    const auto frame = s.frame();
    detail::Stopwatch watch;
    const auto keys = model.qformer.read(model.vision_norm(patches, s), s, pictures);
    const auto decoder = model.decoder(keys);
    const double seconds = watch.lap();
    const std::vector<Prompt<Query::width>> prompts(static_cast<std::size_t>(pictures), {{}, ids});
    auto out = detail::write(decoder, prompts, tokenizer, {&*end, 1}, options, s);
    for (Caption& caption : out) caption.prompt = ids, caption.seconds.qformer = seconds;
    return out;
}

}  // namespace tessera::inline TESSERA_ISA
