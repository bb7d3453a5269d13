#!/bin/sh
# Compiles every block of C++ in the documentation: what stands between ```cpp and ``` in the README files and in the comments of the
# headers. A block with a main function is a program of its own; any other is the body of a function after prelude.hpp.
#   usage: check.sh COMPILER [FLAG...]        (from the root of the project)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#include "docs/prelude.hpp"\n' >"$work/blocks.cpp"

awk -v work="$work" '
  function flush(    file) {
    ++blocks
    if (code ~ /int main\(/) {
      file = work "/program" blocks ".cpp"
      printf "#line %d \"%s\"\n%s", first, FILENAME, code > file
      close(file)
    } else {
      printf "namespace block_%d { [[maybe_unused]] static void body() {\n#line %d \"%s\"\n%s}}\n", blocks, first, FILENAME, code >> (work "/blocks.cpp")
    }
  }
  FNR == 1 { inside = 0 }
  { line = $0; sub(/^ *\/\/\/ ?/, "", line) }
  !inside && line ~ /^```cpp$/ { inside = 1; code = ""; first = FNR + 1; next }
  inside && line ~ /^```$/ { inside = 0; flush(); next }
  inside { code = code line "\n" }
  END { print blocks + 0 > (work "/count") }
' README.md CONTRIBUTING.md benchmarks/README.md $(find include -name '*.hpp' | sort)

for file in "$work"/*.cpp; do
  "$@" -fsyntax-only -I include -I tests "$file"
done
echo "$(cat "$work/count") blocks compile"
[ "$(cat "$work/count")" -gt 0 ]
