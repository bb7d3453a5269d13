// Expressions of masks: a mask keeps its word, and can be drawn.
#include <fuzz/fuzz.hpp>
#include <tessera/study/draw.hpp>
#include <tessera/study/parse.hpp>
#include <tessera/study/verify.hpp>

using namespace tessera;

const std::string_view fuzz::place = "mask '";
const std::size_t fuzz::proportion = 1 << 12;

void fuzz::read(std::string_view bytes) {
    const auto look = [&](Index queries, Index keys) {
        const AnyMask mask = parse_mask(bytes, queries, keys);
        const Verdict verdict = verify(mask, queries, keys, 2, 3);
        expect(bool(verdict), "a mask that keeps its word", verdict.text());
        draw(mask, queries, keys);
    };
    look(12, 12);
    look(7, 10);
}
