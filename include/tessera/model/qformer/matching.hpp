// Which text belongs to which picture: the Q-Former with the heads of two of its objectives.
#pragma once
#include <tessera/mask/catalog/blip2.hpp>
#include <tessera/model/qformer/features.hpp>
#include <tessera/model/qformer/qformer.hpp>

namespace tessera::inline TESSERA_ISA {

/// Image-text contrast (ITC) and image-text matching (ITM), over what an image encoder makes of pictures. What texts read of
/// a picture is computed once: `const auto keys = model.qformer.read(patches, s, pictures);`.
/// errors  those of QFormer
/// source  Li 2023 (BLIP-2) §3.1
template <class Query>
struct ImageTextMatching {
    static_assert(Query::config.has_text(), "ImageTextMatching: the Q-Former must have a text path (vocabulary > 0)");
    static constexpr Index width = Query::width, queries = Query::config.queries, embedding = Query::config.embedding;
    using Keys = typename Query::Keys;

    Query qformer;
    Linear<width, embedding> vision_projection, text_projection;
    Linear<width, 2> itm_head;

    /// What the queries see of each picture, for contrast: queries and text do not see each other (masks::uni_modal), so
    /// the text is not even there.
    /// shape   keys of n pictures → [n·queries, embedding], each of length 1
    Rows<embedding> image_features(const Keys& keys, Scratch& s) const { return image_features(qformer(keys, s), s); }
    /// The same from the queries' states, which the Q-Former makes without text.
    Rows<embedding> image_features(ConstRows<width> states, Scratch& s) const {
        auto y = s.rows<embedding>(states.extent(0));
        const auto frame = s.frame();
        normalize_rows<embedding>(y, vision_projection(states, s), s);
        return y;
    }

    /// What the first token ([CLS]) of each text sees of it, for contrast: the other half of masks::uni_modal.
    /// shape   m texts → [m, embedding], each of length 1
    /// errors  Errc::option_value for a text without a token
    Rows<embedding> text_features(const TextBatch& texts, Scratch& s) const {
        auto y = s.rows<embedding>(texts.count());
        const auto frame = s.frame();
        for (Index first = 0; first < texts.count();) {
            const auto chunk = s.frame();
            auto* const starts =
                s.take<Index>(texts.count() - first + 1);  // of this pass: its mask is kept where a tape records
            const Index begin = texts.starts[static_cast<std::size_t>(first)];
            Index count = 0;
            for (starts[0] = 0; first + count < texts.count(); ++count) {
                const Index length = texts.length(first + count);
                if (length == 0)
                    throw Error(Errc::option_value, "text ", first + count,
                                ": expected at least one token, found none");
                if (count > 0 && starts[count] + length > most_rows) break;
                starts[count + 1] = starts[count] + length;
            }
            const TextBatch part{texts.ids.subspan(static_cast<std::size_t>(begin), std::size_t(starts[count])),
                                 {starts, static_cast<std::size_t>(count) + 1}};
            const auto states = qformer.text(part, s), cls = s.rows<width>(count);
            for (Index i = 0; i < count; ++i) copy_rows(cls.slice(i, 1), states.slice(starts[i], 1), s);
            normalize_rows<embedding>(y.slice(first, count), text_projection(cls, s), s);
            first += count;
        }
        return y;
    }

    /// What the queries see of each picture and text together (masks::bidirectional).
    /// shape   n pairs, in the order of their pictures → [n·queries, width]
    Rows<width> multimodal_features(const Keys& keys, std::span<const ImageTextPair> pairs, const TextBatch& texts,
                                    Scratch& s) const {
        auto y = s.rows<width>(static_cast<Index>(pairs.size()) * queries);
        for_each_pair(keys, pairs, texts, s, [&](Index pair, ConstRows<width> states) {
            copy_rows(y.slice(pair * queries, queries), states, s);
        });
        return y;
    }

    /// Image-text contrast: the cosine of each picture and each text, which is that of the nearest query.
    /// shape   image features [n·queries, embedding], text features [m, embedding] → [n, m]
    static View<float, dyn, dyn> itc(ConstRows<embedding> images, ConstRows<embedding> texts, Scratch& s) {
        return contrast<embedding>(images, queries, texts, s);
    }

    /// Image-text matching: for each pair the logits of "no match" and "match"; their softmax is the probability.
    /// shape   n pairs, in the order of their pictures → [n, 2]
    /// cost    for a pair of BLIP-2 with T tokens 0.17·(32 + T) Gflop; scratch does not grow with the number of pairs
    Rows<2> itm(const Keys& keys, std::span<const ImageTextPair> pairs, const TextBatch& texts, Scratch& s) const {
        auto y = s.rows<2>(static_cast<Index>(pairs.size()));
        for_each_pair(keys, pairs, texts, s, [&](Index pair, ConstRows<width> states) {
            mean_rows<2>(y.slice(pair, 1), itm_head(states, s), queries, s);
        });
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("qformer", self.qformer);
        f("vision_projection", self.vision_projection);
        f("text_projection", self.text_projection);
        f("itm_head", self.itm_head);
    }

  private:
    static constexpr Index most_rows = 1024;  // of queries and text in one pass: enough for full speed

    /// Calls f(pair, states of its queries) for each of `pairs`, of which as many as are worth it pass the Q-Former at once.
    void for_each_pair(const Keys& keys, std::span<const ImageTextPair> pairs, const TextBatch& texts, Scratch& s,
                       const auto& f) const {
        Query::require_pairs(keys, pairs, texts);
        for (std::size_t first = 0; first < pairs.size();) {
            const auto frame = s.frame();
            std::size_t count = 0;
            for (Index rows = 0; first + count < pairs.size(); ++count) {
                rows += queries + texts.length(pairs[first + count].text);
                if (count > 0 && rows > most_rows) break;
            }
            const auto states = qformer(keys, pairs.subspan(first, count), texts, masks::bidirectional(), s);
            for (Index row = 0; count > 0; --count, ++first) {
                f(static_cast<Index>(first), states.slice(row, queries));
                row += queries + texts.length(pairs[first].text);
            }
        }
    }
};

}  // namespace tessera::inline TESSERA_ISA
