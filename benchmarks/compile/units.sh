#!/bin/sh
# What it costs to compile with this library, in units of including <xsimd/xsimd.hpp> alone: processor time, the best of three.
#   usage: sh benchmarks/compile/units.sh
#   environment: CXX (g++), CXXFLAGS (-O2)
set -eu
cd "$(dirname "$0")"
export LC_ALL=C
compiler=${CXX:-g++}
flags="-std=c++20 ${CXXFLAGS--O2} -I../../include"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seconds FILE [FLAG...]
seconds() {
  file=$1
  shift
  for run in 1 2 3; do
    { time -p $compiler $flags "$@" -c "$file" -o "$work/file.o"; } 2>&1 | awk '/^(user|sys)/ { sum += $2 } END { print sum }'
  done | sort -n | head -n 1
}

printf '#include <xsimd/xsimd.hpp>\n' >"$work/xsimd.cpp"
printf '#include <tessera/attention.hpp>\n' >"$work/attention.cpp"
printf '#include <tessera/tessera.hpp>\n' >"$work/tessera.cpp"
unit=$(seconds "$work/xsimd.cpp")
# row NAME FILE [FLAG...]
row() {
  name=$1
  shift
  seconds "$@" | awk -v name="$name" -v unit="$unit" '{ printf "%6.2f s  %5.2f  %s\n", $1, $1 / unit, name }'
}
printf '%8s  %5s\n' seconds units
row 'xsimd/xsimd.hpp included' "$work/xsimd.cpp"
row 'tessera/attention.hpp included' "$work/attention.cpp"
row 'one Attention used' one_attention.cpp
row 'one Attention used, kernels apart (tessera::kernels)' one_attention.cpp -DTESSERA_COMPILED_KERNELS
row 'tessera/tessera.hpp included' "$work/tessera.cpp"
