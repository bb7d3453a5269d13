#!/bin/sh
# What a user's compiler may be asked for: either the numbers are right, or there is one sentence that says what to change.
#   usage: check.sh <fast_math|mixed|standard|debug> COMPILER [FLAG...]
set -eu
what=$1 compiler=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() { "$compiler" -std=c++20 -I"$here/../../include" "$@"; }

# refused SENTENCE FLAG...: it does not compile, and the first error is this sentence
refused() {
  sentence=$1
  shift
  if "$compiler" -I"$here/../../include" "$@" -fsyntax-only "$here/numbers.cpp" 2>"$work/errors"; then
    echo "$*: compiles" && exit 1
  fi
  grep 'error:' "$work/errors" | head -n 1 | grep -q "$sentence" || { cat "$work/errors"; exit 1; }
  [ "$(grep -c 'error:' "$work/errors")" -le 2 ] || { cat "$work/errors"; exit 1; }
  echo "$*: refused in one sentence"
}

case $what in
  fast_math)
    refused 'infinity and NaN' -std=c++20 -ffast-math
    refused 'infinity and NaN' -std=c++20 -ffinite-math-only
    for isa in '' '-mavx2 -mfma' "$*"; do
      # shellcheck disable=SC2086  # flags are words
      compile -O1 $isa "$here/numbers.cpp" -o "$work/plain"
      # shellcheck disable=SC2086
      compile -O1 $isa -ffast-math -fno-finite-math-only "$here/numbers.cpp" -o "$work/fast"
      "$work/plain" >"$work/plain.txt"
      "$work/fast" >"$work/fast.txt"
      # Sums in another order differ by a few roundings of their parts, which go up to 60: by less than 1e-5.
      paste "$work/plain.txt" "$work/fast.txt" | awk -v what="-ffast-math $isa" '
        { gap = $1 - $2; if (gap < 0) gap = -gap; size = $1 < 0 ? -$1 : $1; if (size < 1) size = 1
          if ($1 != $2 && !(gap <= 1e-5 * size)) { print what ": line " NR ": " $1 " became " $2; exit wrong = 1 } }
        /nan/ { print what ": line " NR ": " $0; exit wrong = 1 }
        END { if (!wrong) print what ": " NR " numbers are right"; exit wrong }'
    done
    ;;
  mixed)
    # Without optimisation: functions of one name are one function.
    compile -O0 -D NAME=first_output_one -c "$here/use.cpp" -o "$work/one.o"
    compile -O0 -mavx2 -mfma -D NAME=first_output_two -c "$here/use.cpp" -o "$work/two.o"
    compile -O0 -c "$here/fill.cpp" -o "$work/fill.o"
    if "$compiler" "$work/fill.o" "$work/one.o" "$work/two.o" -o "$work/mixed" 2>"$work/errors"; then
      echo "a layer of one instruction set is used in another"
      exit 1
    fi
    grep -q 'undefined reference' "$work/errors" || { cat "$work/errors"; exit 1; }
    compile -O0 -D NAME=first_output_two -c "$here/use.cpp" -o "$work/two.o"
    "$compiler" "$work/fill.o" "$work/one.o" "$work/two.o" -o "$work/same"
    [ "$("$work/same")" = '1.2110 1.2110' ] || { "$work/same"; exit 1; }
    # Layers of their own: the numbers are right in any order of linking.
    compile -O0 -D NAME=error_one -D MAIN -c "$here/own.cpp" -o "$work/one.o"
    compile -O0 -mavx2 -mfma -D NAME=error_two -c "$here/own.cpp" -o "$work/two.o"
    "$compiler" "$work/one.o" "$work/two.o" -o "$work/own" && "$work/own"
    "$compiler" "$work/two.o" "$work/one.o" -o "$work/own" && "$work/own"
    ;;
  debug)
    # Containers that look at themselves are no constants, as masks have to be.
    compile -D_GLIBCXX_DEBUG -fsyntax-only "$here/masks.cpp" && echo '-D_GLIBCXX_DEBUG: masks are constants'
    ;;
  standard) refused 'C++20' -std=c++17 ;;
  *) echo "check.sh: no such case: $what" && exit 2 ;;
esac
