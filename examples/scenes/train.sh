#!/bin/sh
# Trains the model in examples/scenes/model again, out of nothing: the same bytes on the same processor, whatever the number of threads.
#   usage: sh examples/scenes/train.sh [--seed N] [--percent P]        TESSERA_INSTALL=no: installs nothing
# Everything is in build/scenes-N, with the logs; stages that are there already are not done again. Half an hour on two cores.
set -eu
cd "$(dirname "$0")/../.."
seed=2 percent=100
while [ $# -gt 0 ]; do
  case $1 in
    --seed) seed=$2 ;;
    --percent) percent=$2 ;;
    *) echo "train.sh: expected --seed N or --percent P, found '$1'" >&2; exit 2 ;;
  esac
  shift 2
done
sh cmake/install_packages build example
mkdir -p build
{ cmake --preset release && cmake --build build/release --target scenes scenes_train -j "$(nproc)"; } >build/release.log 2>&1 ||
  { cat build/release.log; exit 1; }

out=build/scenes-$seed
mkdir -p "$out"
start=$(date +%s)
# Stages that do not need each other, each on a thread of its own: small models gain less from a second thread than from a neighbour.
train() {
  for stage; do
    OMP_NUM_THREADS=1 build/release/examples/scenes_train --out "$out" --seed "$seed" --percent "$percent" "$stage" >"$out/$stage.log" 2>&1 ||
      { cat "$out/$stage.log"; return 1; }
    grep -E ', (train|val|test|pair): ' "$out/$stage.log" | grep -E "^$stage" || true
  done
}
together() {
  train $1 & first=$!
  train $2 & second=$!
  wait $first && wait $second
}
train folders
together "vision stage1" "opt t5"
together blip2_opt blip2_t5
train model
rm -rf "$out/held_out"
build/release/examples/scenes --out "$out/held_out" --train 1 --held-out 24 --documents 1 --seed 7 >/dev/null
echo "$out/model: $(du -sk "$out/model" | cut -f1) kB, after $((($(date +%s) - start) / 60)) minutes"
