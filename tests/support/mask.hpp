// Masks as text, and the check that they keep their word.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <tessera/study/verify.hpp>

namespace tessera::test {

/// A mask as text: rows are queries, # is visible, rows are set off by |.
template <Mask M>
std::string picture(const M& mask, Index queries, Index keys, Index head = 0) {
    std::string text;
    for (Index query = 0; query < queries; ++query) {
        if (query > 0) text += '|';
        for (Index key = 0; key < keys; ++key) text += mask.allows({head, query, key}) ? '#' : '.';
    }
    return text;
}

/// Checks that everything `mask` says agrees with `allows`, on few rows for all tiles, on many for some.
template <Mask M>
void check(const M& mask, Index queries, Index keys, Index heads = 1) {
    const Verdict verdict = verify(mask, queries, keys, heads, queries * keys > 400 ? 5 : 1);
    CHECK_MESSAGE(verdict, queries, " × ", keys, ": ", verdict.text());
}

/// And that `cover` leaves no tile open that it could tell.
template <Mask M>
void check_tight(const M& mask, Index queries, Index keys, Index heads = 1) {
    const Verdict verdict = verify(mask, queries, keys, heads, queries * keys > 400 ? 5 : 1);
    CHECK_MESSAGE(verdict, queries, " × ", keys, ": ", verdict.text());
    CHECK_MESSAGE(verdict.loose == 0, queries, " × ", keys, ": ", verdict.text());
}

}  // namespace tessera::test
