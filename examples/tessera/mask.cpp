#include <iostream>
#include <tessera/core/output_file.hpp>
#include <tessera/image/write.hpp>
#include <tessera/study/parse.hpp>
#include <tessera/study/svg.hpp>

#include "commands.hpp"
#include "json_line.hpp"

namespace {

using namespace tessera;

void print_words() {
    for (const parsing::Word& word : parsing::words) {
        const std::string call = std::string(word.name) + ' ' + std::string(word.parameters);
        // Three bytes are one character: …
        const auto dots = static_cast<std::size_t>(std::count(call.begin(), call.end(), '\xe2'));
        std::cout << call
                  << std::string(std::max<std::size_t>(54 - std::min<std::size_t>(call.size() - 2 * dots, 54), 1), ' ')
                  << word.meaning << '\n';
    }
    std::cout
        << "\n~A, A & B, A | B, (A) combine them, in this order of binding. A CORNER is top_left, bottom_right or "
           "after N:\nwhere the diagonal begins if there are not as many queries as keys.\n";
}

Image to_image(const Painting& painting) {
    Image image(painting.height, painting.width);
    std::copy(painting.rgb.begin(), painting.rgb.end(), image.pixels.data());
    return image;
}

Json to_json(const std::string& mask, const Summary& sum) {
    return {{"mask", mask},
            {"queries", sum.queries},
            {"keys", sum.keys},
            {"heads", sum.heads},
            {"visible", sum.visible},
            {"tile", {sum.tile_queries, sum.tile_keys}},
            {"tiles", {{"whole", sum.whole}, {"masked", sum.masked}, {"skipped", sum.skipped}}},
            {"live", sum.live},
            {"speed_up", sum.live > 0 ? Json(sum.speed_up()) : Json(nullptr)}};
}

}  // namespace

int run(const MaskCommand& command) {
    if (command.list) {
        print_words();
        return 0;
    }
    const Index queries = command.queries, keys = command.keys > 0 ? command.keys : queries;
    const AnyMask mask = parse_mask(command.mask, queries, keys);
    if (!command.png.empty() || !command.svg.empty()) {
        Drawing how = command.drawing;
        how.side = 128;
        const Figure drawn = figure(mask, queries, keys, command.mask, how);
        if (!command.png.empty()) write_png(command.png, to_image(paint(drawn)));
        if (!command.svg.empty()) replace_file(command.svg, svg(drawn));
    }
    const Summary sum = summary(mask, queries, keys, command.drawing);
    if (command.json) {
        program::print(to_json(command.mask, sum));
        return 0;
    }
    std::cout << draw(mask, queries, keys, command.drawing) << '\n';
    std::cout << sentence(sum) << std::endl;
    return 0;
}
