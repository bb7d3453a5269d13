#include <tessera/generate/caption_stage1.hpp>

#include "caption.hpp"
#include "models.hpp"

bool program::caption_stage1(const CaptionCommand& command, Choice& choice, int& failures) {
    using namespace tessera;
    return choice.use(itg_models, [&]<class Model>(const Compiled<Model>& compiled) {
        const auto refuse = [&](const char* what) {
            throw Error(Errc::option_value, what,
                        ": expected a BLIP-2 with a language model, as Salesforce/blip2-opt-2.7b; ",
                        in_quotes(compiled.name), " is of the first stage, and only describes pictures");
        };
        if (!command.questions.empty()) refuse("ask");
        if (!command.attention.empty()) refuse("--attention");
        failures = describe<Model>(choice, command);
    });
}
