// T5, an encoder-decoder language model.
#pragma once
#include <algorithm>
#include <cmath>
#include <tessera/model/language_model.hpp>
#include <tessera/model/t5/decoder.hpp>
#include <tessera/model/t5/encoder.hpp>
#include <tessera/model/t5/names.hpp>

namespace tessera::inline TESSERA_ISA {

/// T5: the encoder reads a prompt, a picture's soft rows and words alike; the decoder writes what follows. There is no table
/// of positions, so texts may be of any length.
/// shape   embeddings [S, Width] → encoder [S, Width]; embeddings [T, Width] → states [T, Width] → logits [T, Vocabulary]
/// errors  Errc::weight_unset; Errc::token_id; Errc::sequence_length beyond a cache's capacity
/// cost    2·parameters flops a row of encoder or decoder
/// source  Raffel 2020 (T5); Chung 2022 (FlanT5)
template <T5Config C>
struct T5 {
    static constexpr T5Config config = C;
    static NameMap names() { return t5_names(C.tied_head); }
    static NameMap names_in_blip2() { return t5_names_in_blip2(C.tied_head); }
    static constexpr Index width = C.width, embedding_width = C.width, vocabulary = C.vocabulary;
    static constexpr Index most_positions = Index{1} << 20;
    static constexpr Token start = 0;  // what every text of the decoder begins with
    using Cache = typename T5Decoder<C>::Cache;

    Embedding<C.vocabulary, C.width> embedding;  // of encoder and decoder
    T5Encoder<C> encoder;
    T5Decoder<C> decoder;
    Linear<C.width, C.vocabulary, HasBias::no> head;  // without weights where it is tied

    /// The scores of every word to follow each row of the decoder's states.
    Rows<C.vocabulary> logits(ConstRows<C.width> states, Scratch& s) const {
        if constexpr (C.tied_head)
            return embedding.logits(scaled(states, s), s);
        else
            return head(states, s);
    }

    /// Reads each prompt with the encoder, once; the decoder is to begin with the start token.
    /// errors  Errc::option_value for a prompt without any row
    std::vector<Beginning<T5>> begin(std::span<const Prompt<C.width>> prompts, Index more, Scratch& s,
                                     DType stored = DType::f32) const {
        const auto first = embedding({&start, 1}, s);
        const auto frame = s.frame();
        const std::span offsets(s.take<Index>(static_cast<Index>(prompts.size()) + 1), prompts.size() + 1);
        offsets[0] = 0;
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            if (prompts[i].ids.empty())
                throw Error(Errc::option_value, "prompt: expected at least one token, found none");
            offsets[i + 1] = offsets[i] + static_cast<Index>(prompts[i].ids.size());
        }
        const auto embedded = s.rows<C.width>(offsets.back());
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            const auto& [soft, ids] = prompts[i];
            const Index queries = soft.extent(0), words = static_cast<Index>(ids.size()) - queries;
            TESSERA_EXPECTS(words >= 0);
            copy_rows(embedded.slice(offsets[i], queries), soft, s);
            embedding.into(embedded.slice(offsets[i] + queries, words), ids.subspan(static_cast<std::size_t>(queries)),
                           s);
        }
        const auto encoded = encoder(embedded, offsets, s);
        std::vector<Beginning<T5>> out;
        out.reserve(prompts.size());
        for (std::size_t i = 0; i < prompts.size(); ++i)
            out.push_back({decoder.cache(encoded.slice(offsets[i], offsets[i + 1] - offsets[i]), 1 + more, s, stored),
                           first,
                           {start}});
        return out;
    }

    /// Reads rows that follow what the caches hold, one text after another, and adds them to the caches.
    Rows<C.width> append(ConstRows<C.width> embedded, std::span<const Continuation<Cache>> texts, Scratch& s) const {
        return decoder.append(embedded, texts, s);
    }

    static void visit(auto& self, auto&& f) {
        f("embedding", self.embedding);
        f("encoder", self.encoder);
        f("decoder", self.decoder);
        if constexpr (!C.tied_head) f("head", self.head);
    }

  private:
    /// states / √width
    static Rows<C.width> scaled(ConstRows<C.width> states, Scratch& s) {
        const auto y = s.rows<C.width>(states.extent(0)), factor = s.rows<C.width>(states.extent(0));
        std::ranges::fill(factor, 1.0f / std::sqrt(static_cast<float>(C.width)));
        kernel::multiply(y.data(), states.data(), factor.data(), y.size());
        s.record(MultiplyOp{y.data(), states.data(), factor.data(), y.size()});
        return y;
    }
};

}  // namespace tessera::inline TESSERA_ISA
