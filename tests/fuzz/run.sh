#!/bin/sh
# Builds the programs of tests/fuzz and runs each for some seconds, from files of tests/golden and what earlier runs have found.
# Prints a line for each; inputs that break a promise are kept in build/fuzz/findings, and make the exit code 1.
#   usage: tests/fuzz/run.sh [SECONDS [PROGRAM...]]        by default 60, all programs
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- $(basename -s .cpp tests/fuzz/*.cpp)

sh cmake/install_packages build example test
mkdir -p build
{ cmake --preset fuzz && cmake --build build/fuzz --target $(printf 'fuzz_%s ' "$@"); } >build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }

# Files that programs read lie in memory, where there is such a place.
TMPDIR=$(mktemp -d -p "$(test -w /dev/shm && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT INT TERM

golden=tests/golden
# seeds PROGRAM FOLDER: what to begin with
seeds() {
  case $1 in
    safetensors) pick "$2" $golden/malformed/safetensors/* $golden/malformed/checkpoints/*/model.safetensors ;;
    torch_file) pick "$2" $golden/torch/*.pth ;;
    pickle) for file in $golden/torch/*.pth; do tail -c +65 "$file" >"$2/$(basename "$file")"; done ;;  # the first entry of each
    weights_index) pick "$2" $golden/*/model.safetensors.index.json $golden/malformed/checkpoints/*/model.safetensors.index.json ;;
    config) pick "$2" $golden/*/config.json $golden/*/generation_config.json $golden/malformed/checkpoints/*/config.json ;;
    preprocessor_config) pick "$2" $golden/*/*processor_config.json $golden/malformed/preprocessor/* ;;
    picture) pick "$2" $golden/images/*.png $golden/images/*.jpg $golden/malformed/images/* tests/image/pictures/*.[!s]* ;;
    tokenizer_json) pick "$2" $golden/*/tokenizer.json $golden/malformed/tokenizers/*/tokenizer.json $golden/tokenizers/*/tokenizer.json ;;
    wordpiece) pick "$2" $golden/tokenizers/*/vocab.txt $golden/malformed/tokenizers/*/vocab.txt ;;
    sentencepiece) pick "$2" $golden/tokenizers/*/spiece.model $golden/malformed/tokenizers/*/spiece.model ;;
    bpe) join "$2" vocab.json merges.txt ;;
    tokenizer_settings) join "$2" special_tokens_map.json tokenizer_config.json added_tokens.json ;;
    data_set) sed -n 's/.*refusal(R"(\(.*\))").*/\1/p' tests/train/data/caption_file.cpp | lines "$2" ;;
    text) sed -n 's/^ *text(//; s/^ *"\(.*\)",*$/\1/p' $golden/make/texts.py | lines "$2" ;;
    mask) sed -n 's/.*parsed("\([^"]*\)".*/\1/p; s/.*message("\([^"]*\)".*/\1/p' tests/study/parse.cpp | lines "$2" ;;
    picture_index) indices "$2" ;;
    packed) ;;  # the program writes them, since they depend on the processor
    *) lost "seeds for $1" ;;
  esac
  [ "$1" = packed ] || [ -n "$(ls "$2")" ] || lost "seeds for $1"
}
# lost WHAT: a file or a line that has moved would be missed by nobody
lost() {
  echo "tests/fuzz/run.sh: no $1" >&2
  exit 1
}
# pick FOLDER FILE...: the files that are not empty, under names of their own
pick() {
  to=$1
  shift
  for file; do
    [ -e "$file" ] || lost "$file"
    [ ! -s "$file" ] || cp "$file" "$to/$(echo "$file" | tr / _)"
  done
}
# join FOLDER NAME...: the files of these names of each tokenizer, with zero bytes between them
join() {
  to=$1
  shift
  for folder in $golden/tokenizers/* $golden/malformed/tokenizers/* $golden/opt; do
    [ -d "$folder" ] || lost "$folder"
    between=''
    for name; do
      printf "$between"
      between='\0'
      [ ! -f "$folder/$name" ] || cat "$folder/$name"
    done >"$to/$(echo "$folder" | tr / _)"
  done
}
# lines FOLDER: a file for each line of the input
lines() { split -l 1 -a 4 - "$1/line"; }
# indices FOLDER: lists of one picture and of two, what a header says of their features, and these
indices() {
  one='{"name":"tests/golden/images/wide.png","bytes":12,"changed":-5}' two='{"bytes":0,"changed":7,"name":"b.png"}'
  tensor() { printf '{"data_offsets":[0,%s],"dtype":"F32","shape":[%s,2,4]}' $((32 * $1)) "$1"; }
  features=0123456789abcdef0123456789ABCDEF
  printf '[]\0%s\0' "$(tensor 0)" >"$1/none"
  printf '[%s]\0%s\0%s' "$one" "$(tensor 1)" $features >"$1/one"
  printf '[%s,%s]\0%s\0%s' "$one" "$two" "$(tensor 2)" $features$features >"$1/two"
}

# The words that a program's readers know are the texts in the headers they lie in.
dictionary() {
  case $1 in
    safetensors | weights_index) files='checkpoint/safetensors.hpp core/dtype.hpp model/opt/names.hpp' ;;
    torch_file | pickle) files='checkpoint/pickle.hpp checkpoint/torch_file.hpp' ;;
    config) files="checkpoint/config_reader.hpp checkpoint/model_config.hpp generate/generation_config.hpp $(cd include/tessera && echo model/*/config.hpp)" ;;
    picture_index) files='../../examples/tessera/index.hpp core/dtype.hpp' ;;
    packed) files='checkpoint/packed.hpp core/dtype.hpp' ;;
    data_set) files='train/data/caption_file.hpp train/data/question_file.hpp train/data/text_file.hpp' ;;
    preprocessor_config) files=image/read_preprocess.hpp ;;
    mask) files='study/parse/words.hpp study/parse/grammar.hpp' ;;
    text | picture | sentencepiece | wordpiece) files= ;;
    *) files='text/read/tokenizer_json.hpp text/read/settings.hpp text/read/bpe.hpp text/read/unigram.hpp text/read/wordpiece.hpp' ;;
  esac
  for file in $files; do [ -e "include/tessera/$file" ] || lost "include/tessera/$file"; done
  for file in $files; do
    grep -oE '"[A-Za-z0-9_.]+"' "include/tessera/$file" || true
  done | sort -u | case $1 in mask | torch_file | pickle) cat ;; *) sed 's/"\(.*\)"/"\\"\1\\""/' ;; esac
}

mkdir -p build/fuzz/findings
failed=''
for program; do
  work=build/fuzz/corpus/$program
  rm -rf "$work/seeds"
  mkdir -p "$work/found" "$work/seeds"
  seeds "$program" "$work/seeds"
  dictionary "$program" >"$work/words"
  echo >>"$work/words"  # libFuzzer takes an empty file for none
  status=0
  build/fuzz/tests/fuzz/"$program" -max_total_time="$seconds" -timeout=60 -report_slow_units=60 -rss_limit_mb=2048 -dict="$work/words" \
    -artifact_prefix="build/fuzz/findings/$program-" -print_final_stats=1 "$work/found" "$work/seeds" >"$work/log" 2>&1 || status=$?
  awk -v name="$program" -v status=$status '
    / cov: / { for (i = 1; i < NF; ++i) { if ($i == "cov:") cov = $(i + 1); if ($i == "corp:") corpus = $(i + 1) } }
    /number_of_executed_units/ { runs = $2 }
    END { printf "%-20s %9d runs, %5d edges, %s inputs%s\n", name, runs, cov, corpus, status ? ": FAILED" : "" }
  ' "$work/log"
  if [ $status != 0 ]; then
    failed="$failed $program"
    grep -E -A12 'expected |ERROR|runtime error|bytes was asked' "$work/log" | cut -c 1-300 | head -n 40 || true
    tail -n 3 "$work/log"
  fi
done
[ -z "$failed" ] || { echo "these broke a promise:$failed"; exit 1; }
