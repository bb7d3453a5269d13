#!/bin/sh
# Installs what is missing, builds examples/tessera, and describes pictures with it.
#   usage: sh examples/run.sh [--model DIR PICTURE…]        TESSERA_INSTALL=no: installs nothing
# Without arguments: the model in examples/scenes, which this library has trained, and pictures of scenes that it has not seen before.
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
model=examples/scenes/model/blip2_opt
matcher=examples/scenes/model/blip2_itm
pictures=examples/scenes/held_out/pictures/test
show $program info --model $model
show $program caption --model $model $pictures/00002.png $pictures/00003.png $pictures/00004.png
show $program ask --model $model --question "what shape is the yellow object?" --question "is the triangle left of the ring?" $pictures/00002.png
show $program match --model $matcher --text "a large yellow ring left of a large red triangle" \
  --text "a large red triangle left of a large yellow ring" --text "a small green ring above a large red ring" \
  $pictures/00002.png $pictures/00003.png
show $program search --model $matcher --index build/scenes.index --text "a large green cross left of a large white ring" --top 3 $pictures
show $program caption --model $model --attention build/attention.png $pictures/00002.png

# What was drawn: held_out/test.jsonl.
sed -n 's/.*"caption":"\([^"]*\)".*/\1/p' examples/scenes/held_out/test.jsonl >build/drawn.txt
$program caption --model $model $pictures/*.png | sed 's/^[^:]*: //' >build/found.txt
right=$(paste -d '|' build/drawn.txt build/found.txt | awk -F '|' '$1 == $2' | wc -l)
printf '\nOf %s pictures in %s, %s are described as they were drawn.\n' "$(wc -l <build/drawn.txt)" $pictures "$right"
[ "$right" -ge 20 ] || { echo "expected at least 20"; exit 1; }
cat <<'END'

build/attention.png shows where each word of the last caption comes from. With a downloaded checkpoint, a folder or a name in the
Hugging Face cache, the same commands describe photographs:
  sh examples/run.sh --model Salesforce/blip2-opt-2.7b YOUR_PICTURE.jpg
END
