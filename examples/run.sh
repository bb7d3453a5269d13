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
picture=tests/golden/images/wide.png
show $program info --model tests/golden/blip2_opt
show $program caption --model tests/golden/blip2_opt --prompt "a photo of" --max-tokens 20 $picture
show $program ask --model tests/golden/blip2_t5 --question "what colour is the boat?" --beams 5 --max-tokens 20 $picture
show $program match --model tests/golden/blip2_itr --text "a photo of a cat" --text "a man opens a black basket in the forest" \
  $picture tests/golden/images/tall.png
show $program search --model tests/golden/blip2_itr --index build/pictures.index --text "a photo of a cat" --top 3 tests/golden/images

# What transformers says of these: expected.json in the folders of the checkpoints.
same() {
  [ "$1" = "$2" ] || { printf '\nexpected as transformers gives it\n  %s\nfound\n  %s\n' "$2" "$1"; exit 1; }
}
same "$($program caption --model tests/golden/blip2_opt --prompt "a photo of" --max-tokens 20 --json $picture | sed 's/.*"tokens":\(\[[0-9,]*\]\).*/\1/')" \
  '[197,496,309,309,409,409,496,554,309,399,399,197,197,524,403,197,135,527,197,197]'
same "$($program ask --model tests/golden/blip2_t5 --question "what colour is the boat?" --beams 5 --max-tokens 20 $picture)" '5 7 at 1к中в'
same "$($program match --model tests/golden/blip2_itr --text "a photo of a cat" --contrast-only --json $picture | sed 's/.*"itc":\[\(0.....\).*/\1/')" 0.1276
cat <<'END'

The weights of these tiny checkpoints are random, so the words mean nothing; but they are the words, and the scores, that
transformers gives. With a downloaded checkpoint, a folder or a name in the Hugging Face cache, the same commands describe, answer
and find for real:
  sh examples/run.sh --model Salesforce/blip2-opt-2.7b YOUR_PICTURE.jpg
END
