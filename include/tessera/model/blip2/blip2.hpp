// BLIP-2: an image encoder, the Q-Former, and a language model that reads what the Q-Former says.
#pragma once
#include <memory>
#include <tessera/image/preprocess.hpp>
#include <tessera/model/blip2/stock.hpp>
#include <tessera/model/opt/opt.hpp>
#include <tessera/model/qformer/qformer.hpp>
#include <tessera/model/vit/vit.hpp>
#include <tessera/text/tokenizer.hpp>

namespace tessera::inline TESSERA_ISA {

/// Tokens with a meaning of their own.
struct Blip2Tokens {
    Token image = 50265;            // stands for a query's place in the ids; never embedded
    Token begin = 2;                // before every prompt
    std::vector<Token> end{50118};  // any of them ends a caption: the newline
    Token padding = 1;
};

/// BLIP-2 with a decoder-only language model.
/// shape   patches [n·P, 3·patch²] of n pictures → soft prompts [n·Queries, Decoder::embedding_width]
/// errors  Errc::weight_unset; parts that do not fit each other do not compile
/// source  Li 2023
template <class Vision, class Query, class Decoder>
struct Blip2 {
    static_assert(Vision::config.width == Query::config.context,
                  "Blip2: the Q-Former must attend to patches as wide as the image encoder makes them");
    static_assert(Query::config.queries > 0 && Decoder::config.positions > Query::config.queries,
                  "Blip2: the language model must have more positions than there are queries");

    Vision vision;
    Query qformer;
    Linear<Query::width, Decoder::embedding_width> projection;
    Decoder decoder;

    // What stands beside the weights in a checkpoint folder.
    Preprocess preprocess;
    std::shared_ptr<const Tokenizer> tokenizer;
    Blip2Tokens tokens;

    static void visit(auto& self, auto&& f) {
        f("vision", self.vision);
        f("qformer", self.qformer);
        f("projection", self.projection);
        f("decoder", self.decoder);
    }
};

using Blip2Opt2_7b = Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<blip2_opt_2_7b_decoder>>;
using Blip2Opt2_7bCoco = Blip2<Vit<eva_vit_g14_364>, QFormer<qformer_vit_g>, Opt<blip2_opt_2_7b_decoder>>;
using Blip2Opt6_7b = Blip2<Vit<eva_vit_g14>, QFormer<qformer_vit_g>, Opt<blip2_opt_6_7b_decoder>>;
using Blip2Opt6_7bCoco = Blip2<Vit<eva_vit_g14_364>, QFormer<qformer_vit_g>, Opt<blip2_opt_6_7b_decoder>>;
using Blip2Tiny = Blip2<Vit<tiny_vit>, QFormer<tiny_qformer>, Opt<tiny_opt>>;

}  // namespace tessera::inline TESSERA_ISA
