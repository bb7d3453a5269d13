// What tests/golden holds of a tensor is found again, and compared.
#include "support/golden_numbers.hpp"

#include <doctest/doctest.h>

#include <tessera/checkpoint/save.hpp>

#include "support/temporary_folder.hpp"

namespace checkpoint_golden_numbers {
using namespace tessera;

TEST_CASE("every third number: those that are there count, and the others do not") {
    const test::TemporaryFolder folder;
    SafetensorsWriter writer;
    const float kept[] = {1, 4, 7, 10};  // of 1 … 10
    writer.add("x", {4}, kept);
    writer.note("x", "every 3 of 2 5");
    writer.write(folder.path() / "x.safetensors");
    const test::GoldenNumbers x(Safetensors(folder.path() / "x.safetensors"), "x");
    CHECK(x.shape == std::vector<Index>{2, 5});
    CHECK(x.part(1)[1] == 7);
    for (std::size_t i = 0; i < 10; ++i) {
        CAPTURE(i);
        std::vector<float> got{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        CHECK(test::is_left_out(x.values[i]) == (i % 3 != 0));
        CHECK(test::difference(got, x.values).compared == 4);
        CHECK(test::difference(got, x.values).error == 0);
        got[i] += 1;
        const auto one_off = test::difference(got, x.values);
        CHECK(one_off.error == doctest::Approx(i % 3 == 0 ? 1 / std::sqrt(166.0 / 4) : 0));
        CHECK(one_off.at == (i % 3 == 0 ? i : 0));
        got[i] = test::left_out();
        CHECK((test::difference(got, x.values).error > 0) == (i % 3 == 0));
    }
}

TEST_CASE("pixels are found in the table of their channel") {
    const test::TemporaryFolder folder;
    SafetensorsWriter writer;
    const std::uint8_t places[] = {0, 1, 1, 0, 1, 1};  // of two pictures of one pixel
    std::vector<float> levels(3 * 256);
    for (std::size_t channel = 0; channel < 3; ++channel)
        for (std::size_t level = 0; level < 2; ++level)
            levels[channel * 256 + level] = static_cast<float>(10 * channel + level);
    writer.add("x", DType::u8, {2, 3, 1, 1}, [&](OutputFile& file) { file.write(std::as_bytes(std::span(places))); });
    writer.add("x.levels", {3, 256}, levels.data());
    writer.note("x", "levels of 2 3 1 1");
    writer.write(folder.path() / "x.safetensors");
    CHECK(test::golden_numbers(Safetensors(folder.path() / "x.safetensors"), "x") ==
          std::vector<float>{0, 11, 21, 0, 11, 21});
}

}  // namespace checkpoint_golden_numbers
