#!/bin/sh
# Trains the model in examples/scenes/model again, out of nothing: the same bytes on the same processor, whatever the number of threads.
#   usage: sh examples/scenes/train.sh [--seed N] [--percent P]        TESSERA_INSTALL=no: installs nothing
# Everything is in build/scenes-N, with the logs; stages that are there already are not done again. With a percentage of the steps of each
# stage it is in build/scenes-N-P.
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
[ "$percent" = 100 ] || out=$out-$percent
mkdir -p "$out"
start=$(date +%s)
# Small models gain less from a second thread than from a neighbour, so stages that do not need each other have a thread each.
threads=1
pids=
begin() {
  OMP_NUM_THREADS=$threads build/release/examples/scenes_train --out "$out" --seed "$seed" --percent "$percent" "$1" >"$out/$1.log" 2>&1 &
  pid=$! pids="$pids $!"
}
finish() {
  wait "$2" || { cat "$out/$1.log"; exit 1; }
  grep -E "^$1, (train|test|pair)" "$out/$1.log" || true
}
trap 'kill $pids 2>/dev/null || true' EXIT  # whatever ends this ends what it began
trap 'exit 130' INT TERM
begin folders
finish folders $pid
begin t5
t5=$pid
for stage in vision stage1; do
  begin $stage
  finish $stage $pid
done
begin opt
opt=$pid
finish t5 $t5
begin blip2_t5
finish blip2_t5 $pid
finish opt $opt
threads=$(nproc)
for stage in blip2_opt model; do
  begin $stage
  finish $stage $pid
done
rm -rf "$out/held_out"
build/release/examples/scenes --out "$out/held_out" --train 1 --held-out 24 --documents 1 --seed 7 >/dev/null
echo "$out/model: $(du -sk "$out/model" | cut -f1) kB, after $((($(date +%s) - start) / 60)) minutes"
