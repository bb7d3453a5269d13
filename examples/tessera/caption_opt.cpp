#include "caption.hpp"
#include "models.hpp"

bool program::caption_opt(const CaptionCommand& command, Choice& choice, int& failures) {
    return choice.use(
        opt_models, [&]<class Model>(const tessera::Compiled<Model>&) { failures = describe<Model>(choice, command); });
}
