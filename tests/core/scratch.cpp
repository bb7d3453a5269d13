#include <doctest/doctest.h>

#include <cstdint>
#include <tessera/core/scratch.hpp>
#include <tessera/nn/record.hpp>
#include <vector>

namespace core_scratch {
using namespace tessera;

TEST_CASE("what is taken is aligned and does not overlap") {
    Scratch s;
    auto a = s.rows<3>(5);
    auto b = s.rows<7>(2);
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % alignment == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % alignment == 0);
    CHECK(b.data() >= a.data() + a.size());
    CHECK(s.take<float>(0) != nullptr);
}

TEST_CASE("a frame gives back what was taken in it, also across blocks, and growing moves nothing") {
    Scratch s;
    auto kept = s.rows<1>(1);
    kept(0, 0) = 42;
    float *first = nullptr, *second = nullptr;
    for (int pass = 0; pass < 2; ++pass) {
        const auto frame = s.frame();
        first = s.take<float>(1 << 18);
        second = s.take<float>(1 << 20);
        first[0] = second[(1 << 20) - 1] = 1;
        const auto inner = s.frame();
        s.take<double>(1 << 16);
    }
    const Index held = s.capacity();
    {
        const auto frame = s.frame();
        CHECK(s.take<float>(1 << 18) == first);
        CHECK(s.take<float>(1 << 20) == second);
    }
    CHECK(s.capacity() == held);
    CHECK(kept(0, 0) == 42);
}

TEST_CASE("a recorder hears what it asks for, in order") {
    struct Names : Recorder {
        std::vector<std::string> heard;
        using Recorder::on;
        void on(const Named& named) override { heard.emplace_back(named.name); }
    } names;
    Scratch s(names);
    auto x = s.rows<2>(1);
    s.name("a", -1, x);
    s.record(NormOp{});
    s.name("b", 3, x);
    CHECK(names.heard == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a loop without a frame ends in an error instead of all memory; with one it takes no more") {
    Scratch s;
    const auto pass = [&] { s.take<float>(1 << 18); };
    CHECK_THROWS_WITH_AS(
        [&] {
            for (int i = 0; i < 10'000; ++i) pass();
        }(),
        "[scratch.frame] Scratch: expected a frame around each pass, found 258 results outside of any, which stay for "
        "good; "
        "write `const auto frame = scratch.frame();`",
        Error);
    CHECK(s.capacity() < Index{300} << 20);
    Scratch framed;
    for (int i = 0; i < 10'000; ++i) {
        const auto frame = framed.frame();
        framed.take<float>(1 << 18);
    }
    CHECK(framed.capacity() == Index{1} << 20);
    s.clear();
    CHECK_NOTHROW(pass());
}

}  // namespace core_scratch
