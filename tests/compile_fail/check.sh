#!/bin/sh
# Compiles FILE as it stands, which must succeed, and once more with its fault on, which must fail with the message it asks for.
#   usage: check.sh FILE <g++|clang> COMPILER [FLAG...]
# The fault stands between #ifdef TESSERA_FAULT and #endif. The first lines of FILE are extended regular expressions; each must
# match a line of what the compiler says: `// error: REGEX`, or `// error g++: REGEX` and `// error clang: REGEX`.
set -eu
file=$1 brand=$2
shift 2
export LC_ALL=C  # plain quotation marks in messages

patterns=$(sed -n -e "s|^// error: ||p" -e "s|^// error $brand: ||p" "$file")
[ -n "$patterns" ] || { echo "$file: has no line '// error: REGEX' for $brand"; exit 1; }
grep -q TESSERA_FAULT "$file" || { echo "$file: has no '#ifdef TESSERA_FAULT'"; exit 1; }

"$@" -fsyntax-only "$file" || { echo "$file: does not compile even without its fault"; exit 1; }
if said=$("$@" -fsyntax-only -DTESSERA_FAULT "$file" 2>&1); then
  echo "$file: compiles with its fault, and must not"
  exit 1
fi
printf '%s\n' "$patterns" | while IFS= read -r pattern; do
  printf '%s\n' "$said" | grep -Eq -- "$pattern" ||
    { printf '%s\n%s: expected a line that matches: %s\n' "$said" "$file" "$pattern"; exit 1; }
done
