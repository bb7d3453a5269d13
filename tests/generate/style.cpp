#include <doctest/doctest.h>

#include <tessera/generate/load.hpp>
#include <tessera/generate/style.hpp>
#include <tessera/model/blip2/retrieval.hpp>

#include "support/golden.hpp"

namespace generate_style {
using namespace tessera;

TEST_CASE("the defaults of each style are valid, and are applied to what prepares pictures and reads them") {
    for (const Style style : {Style::transformers, Style::lavis})
        for (const LanguageFamily family : {LanguageFamily::opt, LanguageFamily::t5}) {
            const StyleDefaults defaults = style_defaults(style, family);
            require_valid(defaults.caption);
            require_valid(defaults.answer);
            CHECK(defaults.answer.prompt.find("{}") != std::string::npos);
            // load_image and LAVIS both open a file with convert("RGB"), which drops transparency.
            CHECK(defaults.transparency == Transparency::drop);
            CHECK(defaults.turn_upright == (style == Style::transformers));
        }
    // The Q-Former's own words: LAVIS's lengths count [DEC].
    const StyleDefaults qformer = style_defaults<Blip2ItmTiny>(Style::lavis);
    require_valid(qformer.caption);
    CHECK(qformer.caption.max_tokens == 29);
    CHECK(qformer.caption.min_tokens == 9);
    CHECK(qformer.caption.beams == 3);
    CHECK(qformer.answer.prompt.empty());
    CHECK_THROWS_WITH_AS(style_defaults<Blip2ItmTiny>(Style::transformers),
                         "[option.value] style: expected lavis, found transformers, which has no captions in the "
                         "Q-Former's own words",
                         Error);
    static_assert(language_family<Opt<tiny_opt>> == LanguageFamily::opt);
    CHECK(style_defaults<Blip2Opt2_7b>(Style::lavis).answer.length_penalty == 0.0f);
    CHECK(style_defaults<Blip2FlanT5Xl>(Style::lavis).answer.length_penalty == -1.0f);
    CHECK(style_defaults<Blip2FlanT5Xl>(Style::lavis).answer.prompt == "Question: {} Short answer:");

    auto blip2 = load<Blip2Tiny>(test::golden("blip2_opt").string());
    apply_style(blip2, Style::lavis);
    CHECK(blip2.model.vision.norm.eps == 1e-5f);
    CHECK(blip2.processor.preprocess.pass_order == PassOrder::pillow_12);
    apply_style(blip2, Style::transformers);
    CHECK(blip2.model.vision.norm.eps == 1e-6f);
    CHECK(blip2.processor.preprocess.pass_order == PassOrder::pillow_13);
}

}  // namespace generate_style
