// A mask through which text gets to the queries fails its proof, however long the way.
// error: static assertion failed.*the text leaks into the queries|static_assert failed.*the text leaks into the queries
#include <tessera/study.hpp>

using namespace tessera;

constexpr Range queries{0, 32}, text{32, 64};

int main() {
    static_assert(!reaches(masks::multimodal_causal(32), text, queries), "the text leaks into the queries");
#ifdef TESSERA_FAULT
    // One query that looks one row too far.
    constexpr auto leaky = masks::multimodal_causal(32) | (FirstKeys{33} & FirstQueries{1});
    static_assert(!reaches(leaky, text, queries), "the text leaks into the queries");
#endif
}
