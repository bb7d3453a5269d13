#include "caption.hpp"
#include "models.hpp"

bool program::caption_t5(const CaptionCommand& command, Choice& choice, int& failures) {
    return choice.use(
        t5_models, [&]<class Model>(const tessera::Compiled<Model>&) { failures = describe<Model>(choice, command); });
}
