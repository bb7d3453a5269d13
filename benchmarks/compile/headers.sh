#!/bin/sh
# What including a public header costs: seconds to compile a file that includes nothing else (the best of three), bytes after the
# preprocessor, and bytes of code and data in the object file.
#   usage: sh benchmarks/compile/headers.sh [HEADER...]        (as tessera/attention.hpp; none: every header)
#   environment: CXX (g++), CXXFLAGS (-O2 -march=native -fopenmp)
set -eu
cd "$(dirname "$0")/../../include"
export LC_ALL=C
compiler=${CXX:-g++}
flags="-std=c++20 ${CXXFLAGS--O2 -march=native -fopenmp} -I. $(pkg-config --cflags eigen3 2>/dev/null || true)"
[ $# -gt 0 ] || set -- $(find tessera -name '*.hpp' | sort)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%8s %13s %13s  %s\n' seconds preprocessed object header
for header in "$@"; do
  printf '#include <%s>\n' "$header" >"$work/file.cpp"
  best=
  for run in 1 2 3; do
    begin=$(date +%s.%N)
    $compiler $flags -c "$work/file.cpp" -o "$work/file.o"
    end=$(date +%s.%N)
    best=$(awk -v a="$begin" -v b="$end" -v best="$best" 'BEGIN { t = b - a; print best == "" || t < best ? t : best }')
  done
  preprocessed=$($compiler $flags -E -P "$work/file.cpp" | wc -c)
  object=$(size "$work/file.o" | awk 'NR == 2 { print $1 + $2 + $3 }')
  printf '%8.2f %13d %13d  %s\n' "$best" "$preprocessed" "$object" "$header"
done
