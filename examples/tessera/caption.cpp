#include "caption.hpp"

int run(const CaptionCommand& command) {
    using namespace tessera;
    if (!command.attention.empty() && !command.dump.empty())
        throw Error(Errc::option_value, "--attention and --dump: expected one of them, found both");
    int failures = 0;
    program::with_config(command.model, [&](program::Choice& choice) {
        if (program::caption_opt(command, choice, failures) || program::caption_t5(command, choice, failures) ||
            program::caption_stage1(command, choice, failures))
            return;
        if (!choice.has_config()) choice.refuse();
        const ModelConfig& config = choice.config();
        if (config.model_type != "blip-2" && config.model_type != "blip2_qformer_stage1")
            throw Error(Errc::config_unsupported, config.file.string(), ": captions need BLIP-2, found model_type ",
                        in_quotes(config.model_type));
        if (config.root().mentions("architectures", "Blip2ForImageTextRetrieval"))
            throw Error(Errc::config_unsupported, config.file.string(),
                        ": captions need a BLIP-2 with a language model, as Salesforce/blip2-opt-2.7b, or the head of "
                        "words of a "
                        "LAVIS checkpoint of the first stage; this one is for "
                        "`tessera match` and `tessera search`");
        choice.refuse();
    });
    return failures == 0 ? 0 : 1;
}
