#include <doctest/doctest.h>

#include <limits>
#include <tessera/study/curves.hpp>

namespace study_curves {
using namespace tessera;

TEST_CASE("a panel with two curves, to the byte") {
    const CurvePanel panel{.title = "loss", .curves = {{"a", {1, 2, 3}, {3, 2, 1.5}}, {"b <mask>", {3}, {1}}}};
    CHECK(
        svg(std::span(&panel, 1), "two & more") ==
        R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 300" font-family="sans-serif" font-size="12" fill="#2d343e">
<title>two &amp; more</title>
<rect width="480" height="300" fill="#ffffff"/>
<g>
<path d="M78.0 252.0L460.0 252.0" stroke="#e4e7ea"/>
<text x="70.0" y="256.0" text-anchor="end">1.0</text>
<path d="M78.0 197.5L460.0 197.5" stroke="#e4e7ea"/>
<text x="70.0" y="201.5" text-anchor="end">1.5</text>
<path d="M78.0 143.0L460.0 143.0" stroke="#e4e7ea"/>
<text x="70.0" y="147.0" text-anchor="end">2.0</text>
<path d="M78.0 88.5L460.0 88.5" stroke="#e4e7ea"/>
<text x="70.0" y="92.5" text-anchor="end">2.5</text>
<path d="M78.0 34.0L460.0 34.0" stroke="#e4e7ea"/>
<text x="70.0" y="38.0" text-anchor="end">3.0</text>
<path d="M78.0 252.0L78.0 257.0" stroke="#2d343e"/>
<text x="78.0" y="271.0" text-anchor="middle">1</text>
<path d="M269.0 252.0L269.0 257.0" stroke="#2d343e"/>
<text x="269.0" y="271.0" text-anchor="middle">2</text>
<path d="M460.0 252.0L460.0 257.0" stroke="#2d343e"/>
<text x="460.0" y="271.0" text-anchor="middle">3</text>
<path d="M78.0 252.0L460.0 252.0" stroke="#2d343e"/>
<path d="M78.0 252.0L78.0 34.0" stroke="#2d343e"/>
<text x="269.0" y="290.0" text-anchor="middle">step</text>
<text x="16.0" y="143.0" text-anchor="middle" transform="rotate(-90 16.0 143.0)">loss</text>
<path fill="none" d="M78.0 34.0L269.0 143.0L460.0 197.5" stroke="#0072b2" stroke-width="1.5" stroke-linejoin="round"/>
<path d="M438.0 38.0h22" stroke="#0072b2" stroke-width="3"/>
<text x="432.0" y="42.0" text-anchor="end">a</text>
<circle cx="460.0" cy="252.0" r="3" fill="#d55e00"/>
<path d="M438.0 55.0h22" stroke="#d55e00" stroke-width="3"/>
<text x="432.0" y="59.0" text-anchor="end">b &lt;mask&gt;</text>
</g>
</svg>
)svg");
}

namespace {

Index count_of(std::string_view text, std::string_view what) {
    Index count = 0;
    for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
    return count;
}

}  // namespace

TEST_CASE("panels stand two in a row") {
    std::vector<CurvePanel> panels(3, {.title = "x", .curves = {{"", {0, 1}, {0, 1}}}});
    CHECK(svg(panels).find("viewBox=\"0 0 960 600\"") != std::string::npos);
    panels.resize(2);
    CHECK(svg(panels).find("viewBox=\"0 0 960 300\"") != std::string::npos);
    CHECK(count_of(svg(panels), ">x</text>") == 2);
    CHECK(count_of(svg(panels), ">step</text>") == 2);
}

TEST_CASE("ticks are round numbers that can be told apart") {
    const auto labels = [](double low, double high) {
        const drawing::Axis axis = drawing::Axis(low, high).whole();
        std::string out;
        for (const double tick : axis.ticks()) out += (out.empty() ? "" : " ") + axis.label(tick);
        return out;
    };
    CHECK(labels(0, 1) == "0 0.2 0.4 0.6 0.8 1.0");
    CHECK(labels(-1, 1) == "-1.0 -0.5 0 0.5 1.0");
    CHECK(labels(0, 1e-4) == "0 2e-05 4e-05 6e-05 8e-05 0.0001");
    CHECK(labels(3.1, 3.14) == "3.10 3.11 3.12 3.13 3.14");
    CHECK(labels(0, 250000) == "0 50000 100000 150000 200000 250000");
    CHECK(labels(0, 8e6) == "0 2e+06 4e+06 6e+06 8e+06");
    CHECK(labels(2, 2) == "1.0 1.5 2.0 2.5 3.0");
    CHECK(labels(0, 0) == "-1.0 -0.5 0 0.5 1.0");
}

TEST_CASE("of many points a pixel has one, and what is no number is left out") {
    Curve many{"", {}, {}};
    for (int i = 0; i < 100000; ++i) many.x.push_back(i), many.y.push_back(i % 2 == 0 ? 1 : 3);
    many.y[500] = std::numeric_limits<double>::quiet_NaN();
    many.y[501] = std::numeric_limits<double>::infinity();
    const CurvePanel panel{.title = "x", .curves = {many}};
    const std::string text = svg(std::span(&panel, 1));
    CHECK(text.size() < 10000);
    CHECK(text.find("nan") == std::string::npos);
    CHECK(text.find("inf") == std::string::npos);
    const Curve thin = drawing::thinned(many, {0, 99999}, 10);
    CHECK(thin.x.size() == 11);
    CHECK(thin.y[3] == 2);
}

TEST_CASE("nothing to draw") {
    CHECK_THROWS_WITH_AS(svg(std::span<const CurvePanel>()),
                         "[option.value] curves: expected one with a point or more, found none", Error);
    const CurvePanel panel{.title = "x", .curves = {{"", {1}, {std::numeric_limits<double>::quiet_NaN()}}}};
    CHECK_THROWS_AS(svg(std::span(&panel, 1)), Error);
}

}  // namespace study_curves
