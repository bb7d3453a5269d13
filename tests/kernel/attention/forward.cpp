#include "support/attend.hpp"

#include <doctest/doctest.h>

#include <tessera/mask/catalog.hpp>

#include "support/catalogue.hpp"

namespace kernel_attention_forward {
using namespace tessera;
using test::check_attention;
using test::Problem;

TEST_CASE("attention equals the reference under every mask of the catalogue") {
    for (const auto& [queries, keys] :
         {std::pair<Index, Index>{33, 33}, {70, 130}, {7, 1}, {16, 257}, {1, 77}, {3, 200}, {2, 40}}) {
        const test::Catalogue catalogue(queries, keys);
        for (const test::NamedMask& each : catalogue) {
            CAPTURE(each.name);
            check_attention({each.heads + 1, queries, keys, 16, queries % 2 * 5}, each.mask);
        }
    }
}

TEST_CASE("attention equals the reference for heads of any width, and any number of queries and keys") {
    for (const Index dim : {1, 7, 24, 64, 80, 88, 128, 256, 300})
        for (const Index queries : {1, 4, 5, 33})
            for (const Index keys : {1, 31, 200}) {
                const Problem p(2, queries, keys, dim, dim % 3);
                check_attention(p, Full{});
                check_attention(p, Causal::bottom_right(queries, keys));
                check_attention(p, test::odd_mask());
            }
    check_attention({2, 257, 257, 88}, Full{});
    check_attention({1, 400, 400, 8}, Causal{});
    check_attention({1, 2, 2500, 8}, Causal::bottom_right(2, 2500));  // more than one block in each part of the keys
}

TEST_CASE("heads share keys and values") {
    for (const Index queries : {1, 20, 150}) {
        check_attention({6, queries, 40, 16, 2, 3}, test::odd_mask());
        check_attention({6, queries, 200, 16, 0, 1}, Causal::bottom_right(queries, 200));
    }
    check_attention({4, 35, 150, 700, 0, 1}, FirstKeys{140});
}

}  // namespace kernel_attention_forward
