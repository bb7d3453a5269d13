// config.json and, with the same content, generation_config.json.
#include <fuzz/folder.hpp>
#include <fuzz/fuzz.hpp>
#include <support/golden.hpp>
#include <tessera/checkpoint/description.hpp>
#include <tessera/checkpoint/parameters.hpp>
#include <tessera/checkpoint/plan.hpp>

using namespace tessera;

const std::string_view fuzz::place = "config.json";
const std::size_t fuzz::proportion = 1 << 15;  // three digits can ask for a thousand layers of parameters

void fuzz::read(std::string_view bytes) {
    static const Folder folder(test::golden("malformed/checkpoints/ok"), {"model.safetensors"});
    static const Checkpoint checkpoint(folder.path());
    for (const char* name : {"config.json", "generation_config.json"}) folder.write(name, bytes);
    const Description d = read_description(folder.path());
    const auto needs = parameters(d);
    expect(total_size(needs) > 0, "parameters");
    stored_shapes(d);
    plan_load(needs, checkpoint, d.architecture);
}
