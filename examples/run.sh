#!/bin/sh
# Installs what is missing, builds examples/tessera, and describes a picture with it.
#   usage: sh examples/run.sh [--model DIR] [PICTURE…]        TESSERA_INSTALL=no: installs nothing
# Without arguments: the tiny checkpoint in tests/golden, whose weights are random, and a picture beside it.
set -eu
here=$(pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
sh cmake/install_packages build example

log=build/release.log
mkdir -p build
echo "building build/release/examples/tessera"
if ! { cmake --preset release && cmake --build build/release --target tessera_cli -j "$(nproc)"; } >"$log" 2>&1; then
  cat "$log"
  echo "examples/run.sh: the build failed, see above (and $log)"
  exit 1
fi
program=$root/build/release/examples/tessera
if [ $# -gt 0 ]; then
  cd "$here"
  exec "$program" caption "$@"
fi

show() { printf '\n$ %s\n' "$*"; "$@"; }
program=build/release/examples/tessera
show $program info --model tests/golden/blip2_opt
show $program caption --model tests/golden/blip2_opt --prompt "a photo of" --max-tokens 20 tests/golden/images/wide.png

# What transformers says of this picture and prompt: tests/golden/blip2_opt/expected.json, generate.greedy_prompt.
want='[197,496,309,309,409,409,496,554,309,399,399,197,197,524,403,197,135,527,197,197]'
found=$($program caption --model tests/golden/blip2_opt --prompt "a photo of" --max-tokens 20 --json tests/golden/images/wide.png |
  sed 's/.*"tokens":\(\[[0-9,]*\]\).*/\1/')
printf '\nThe weights of this tiny checkpoint are random, so the words mean nothing. Its tokens are\n  %s\n' "$found"
[ "$found" = "$want" ] || { printf 'but transformers gives\n  %s\n' "$want"; exit 1; }
cat <<'END'
the ones that transformers gives. With a downloaded checkpoint, a folder or a name in the Hugging Face cache, the same command
describes pictures for real:
  sh examples/run.sh --model Salesforce/blip2-opt-2.7b YOUR_PICTURE.jpg
END
