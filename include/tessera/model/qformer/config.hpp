// The numbers that describe a Q-Former.
#pragma once
#include <tessera/model/vit/config.hpp>

namespace tessera::inline TESSERA_ISA {

/// The Q-Former: BERT with learned queries; cross-attention to the picture in layers 0, cross_every, 2·cross_every, …
struct QFormerConfig {
    Index queries = 32;   // Q
    Index width = 768;    // D
    Index heads = 12;     // H
    Index hidden = 3072;  // M
    Index layers = 12;    // L
    Index cross_every = 2;
    Index context = 1408;   // width of the image encoder's output
    Index vocabulary = 0;   // V; 0: no text path (Hugging Face's captioning checkpoints have none)
    Index positions = 512;  // of text
    Index embedding = 256;  // E, where pictures and texts are compared; only with text
    Activation activation = Activation::gelu;
    float eps = 1e-12f;

    constexpr bool has_text() const { return vocabulary > 0; }
    friend constexpr bool operator==(const QFormerConfig&, const QFormerConfig&) = default;

    static constexpr const char *type_name = "QFormerConfig", *role = "Q-Former";
    static void visit(auto&& f) {
        using C = QFormerConfig;
        f("queries", &C::queries), f("width", &C::width), f("heads", &C::heads), f("hidden", &C::hidden);
        f("layers", &C::layers), f("cross_every", &C::cross_every), f("context", &C::context);
        f("vocabulary", &C::vocabulary), f("positions", &C::positions), f("embedding", &C::embedding);
        f("activation", &C::activation), f("eps", &C::eps);
    }
    /// The Q-Former of the model that config.json describes, if it has one. `config` is a ModelConfig.
    /// source  the defaults of Blip2Config and Blip2QFormerConfig; for a checkpoint of stage 1 those of LAVIS, Blip2Qformer
    static std::optional<QFormerConfig> read(const auto& config);
};

/// Rejects, while compiling, numbers that no model can have.
consteval QFormerConfig checked(QFormerConfig c) {
    if (c.queries <= 0 || c.width <= 0 || c.heads <= 0 || c.hidden <= 0 || c.layers < 0 || c.context <= 0)
        throw "QFormerConfig: sizes must be positive";
    if (c.has_text() && (c.positions <= 0 || c.embedding <= 0))
        throw "QFormerConfig: with text, positions and embedding must be positive";
    if (c.cross_every <= 0) throw "QFormerConfig: cross_every must be positive";
    if (c.width % c.heads != 0) throw "QFormerConfig: width must be a multiple of heads";
    return c;
}

namespace detail {
QFormerConfig read_stage1_qformer(const auto& root) {
    QFormerConfig c;
    c.queries = root.whole("query_length", c.queries, 1, root.most_queries);
    c.context = root.width("encoder_width", c.context);
    c.width = root.width("hidden_size", c.width);
    c.hidden = root.width("intermediate_size", c.hidden);
    c.layers = root.layers(c.layers);
    c.heads = root.heads(c.heads, c.width);
    c.cross_every = root.whole("cross_attention_freq", c.cross_every, 1, root.most_layers);
    c.vocabulary = root.whole("vocab_size", 30523, 1, root.most_words);
    c.positions = root.whole("max_position_embeddings", c.positions, 1, root.most_positions);
    c.embedding = root.whole("embed_dim", c.embedding, 1, root.most_width);
    c.activation = root.activation("hidden_act", "gelu");
    c.eps = root.number("layer_norm_eps", c.eps, 0, 1);
    return c;
}
}  // namespace detail

std::optional<QFormerConfig> QFormerConfig::read(const auto& config) {
    if (config.model_type == "blip2_qformer_stage1") return detail::read_stage1_qformer(config.root());
    if (config.model_type != "blip-2") return {};
    const auto root = config.root(), settings = root.part("qformer_config");
    QFormerConfig c;
    c.queries = root.whole("num_query_tokens", c.queries, 1, root.most_queries);
    c.context = VitConfig::read(config)->width;  // whatever encoder_hidden_size says
    c.width = settings.width("hidden_size", c.width);
    c.hidden = settings.width("intermediate_size", c.hidden);
    c.layers = settings.layers(c.layers);
    c.heads = settings.heads(c.heads, c.width);
    c.cross_every = settings.whole("cross_attention_frequency", c.cross_every, 1, settings.most_layers);
    c.positions = settings.whole("max_position_embeddings", c.positions, 1, settings.most_positions);
    c.activation = settings.activation("hidden_act", "gelu");
    c.eps = settings.number("layer_norm_eps", c.eps, 0, 1);
    const Index words = settings.whole("vocab_size", 30522, 1, settings.most_words);
    const bool retrieval = root.mentions("architectures", "Blip2ForImageTextRetrieval");
    if (settings.flag("use_qformer_text_input", settings.flag("qformer_text_input", retrieval))) {
        c.vocabulary = words;
        c.embedding = root.whole("image_text_hidden_size", c.embedding, 1, root.most_width);
    }
    return c;
}

}  // namespace tessera::inline TESSERA_ISA
