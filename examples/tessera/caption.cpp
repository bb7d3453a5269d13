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
        choice.refuse_captions("captions need", true);
    });
    return failures == 0 ? 0 : 1;
}
