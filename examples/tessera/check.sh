#!/bin/sh
# Checks what PROGRAM prints and how it exits, from the root of the project.
#   usage: check.sh PROGRAM
set -u
program=$1
model=tests/golden/blip2_opt
failures=0

# expect EXIT-CODE PATTERN COMMAND...: both streams together have to match the extended regular expression.
expect() {
  code=$1 pattern=$2
  shift 2
  said=$("$@" 2>&1)
  found=$?
  if [ "$found" != "$code" ] || ! printf '%s\n' "$said" | grep -Eq -- "$pattern"; then
    printf 'expected exit code %s and /%s/, found %s and:\n%s\n  from: %s\n' "$code" "$pattern" "$found" "$said" "$*"
    failures=$((failures + 1))
  fi
}

# The tokens that transformers gives for these pictures (tests/golden/blip2_opt/expected.json).
expect 0 '"tokens":\[294,309,26,197,26,26,309,225,554,26,26,309,399,569,24,71,63,197,399,197\]' \
  "$program" caption --model $model --max-tokens 20 --json tests/golden/images/wide.png
expect 0 '"tokens":\[197,496,309,309,409,409,496,554,309,399,399,197,197,524,403,197,135,527,197,197\]' \
  "$program" caption --model $model --prompt 'a photo of' --max-tokens 20 --threads 1 --weights f32 --json tests/golden/images/wide.png
expect 0 '"tokens":\[120,130,447,327,327,533,420,416,362,581,362,403,467,228,435,435,522,551,62,362\]' \
  "$program" caption --model $model --max-tokens 20 --json --transparency white tests/golden/images/alpha.png
# A file as load_image of transformers opens it, without its transparency: the tokens that transformers gives for such a picture.
expect 0 '"tokens":\[427,427,56,228,435,154,446,283,476,420,524,396,296,154,99,373,154,280,435,280\]' \
  "$program" caption --model $model --style transformers --json tests/golden/images/alpha.png
expect 0 '"tokens":\[427,427,56,228,435,154,446,283,476,420,524,396,296,154,99,373,154,280,435,280\]' \
  "$program" caption --model $model --max-tokens 20 --json tests/golden/images/alpha.png
expect 0 'lossy.webp: ' "$program" caption --model $model --max-tokens 4 tests/image/pictures/lossy.webp tests/image/pictures/two_frames.gif
expect 0 'wide.png: ' "$program" caption --model $model tests/golden/images/wide.png tests/golden/images/tall.png
expect 0 'compiled +tiny' "$program" info --model $model
expect 0 '^  language model OptConfig\{\.vocabulary = 608, ' "$program" info --model tests/golden/opt
expect 0 '"parameters":378352' "$program" info --json --model $model
expect 0 'query_tokens \[1, 8, 48\] F32' "$program" info --tensors --model $model
expect 0 'caption' "$program" --help

# FlanT5: the strings that transformers gives (tests/golden/blip2_t5/expected.json), greedy and with beams, as a question too.
t5=tests/golden/blip2_t5 itr=tests/golden/blip2_itr wide=tests/golden/images/wide.png tall=tests/golden/images/tall.png
expect 0 '"tokens":\[63,97,158,495,420,80,343,265,200,487,' "$program" caption --model $t5 --prompt 'a photo of' --max-tokens 20 --json $wide
expect 0 '^5 7 at 1к中в$' "$program" ask --model $t5 --question 'what colour is the boat?' --beams 5 --max-tokens 20 $wide
expect 0 '^5 7 at 1к中в$' "$program" caption --model $t5 --prompt 'Question: what colour is the boat? Short answer:' --beams 5 \
  --max-tokens 20 $wide
expect 0 '"question":"what colour is the boat\?"' "$program" ask --model $t5 --question 'where is it?' --question 'what colour is the boat?' \
  --json $wide
expect 0 '^1в$' "$program" ask --model $t5 --style lavis --question 'what colour is the boat?' --max-tokens 20 --min-tokens 0 $wide
expect 0 'compiled +tiny-t5' "$program" info --model $t5
[ "$("$program" caption --model $model --sample --seed 7 --top-p 0.9 $wide)" = "$("$program" caption --model $model --sample --seed 7 --top-p 0.9 --threads 1 $wide)" ] ||
  { echo 'the same seed gives other words'; failures=$((failures + 1)); }
expect 0 '"others":\[\{"score":-' "$program" caption --model $model --beams 3 --n-best 2 --json $wide
expect 1 '^tessera: \[option.value\] n_best: expected at most beams = 1, found 2' "$program" caption --model $model --n-best 2 $wide
expect 1 '^tessera: \[option.value\] --attention: expected one picture' \
  "$program" caption --model $model --attention /tmp/x.png $wide $tall
expect 0 'tall.png: ' sh -c 'printf "%s\n\n%s\r\n" "$2" "$3" | "$0" caption --model "$1" --max-tokens 3 --list -' "$program" $model $wide $tall
expect 1 'nothing.txt: cannot be read$' "$program" caption --model $model --list nothing.txt

# Pictures and texts: the cosines and probabilities that transformers gives (tests/golden/blip2_itr/expected.json).
expect 0 '^tests/golden/images/wide.png +0.128 +0.143$' "$program" match --model $itr --text 'a photo of a cat' \
  --text 'a man opens a black basket in the forest' $wide $tall
expect 0 '"itc":\[0.1276[0-9]*,0.1431[0-9]*\]' "$program" match --model $itr --text 'a photo of a cat' \
  --text 'a man opens a black basket in the forest' --json $wide $tall
expect 1 'tall.png +' "$program" match --model $itr --text 'a cat' nothing.png $tall
expect 1 '^tessera: .*match, features and search need a checkpoint with heads for retrieval' "$program" match --model $model --text x $wide
expect 1 '^tessera: .*captions need a BLIP-2 with a language model' "$program" caption --model $itr $wide
expect 1 '^tessera: \[sequence.length\] text 0: expected at most 64 tokens' "$program" match --model $itr \
  --text "$(printf 'a photo of a cat %.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)" $wide

expect 0 '^tessera [0-9]+\.[0-9]+\.[0-9]+$' "$program" --version
files=$(mktemp -d)
trap 'rm -r "$files"' EXIT

# A folder as transformers 5 saves it: what preprocessor_config.json had stands in processor_config.json.
mkdir "$files/v5"
cp tests/golden/blip2_opt_v5/* $model/model* $model/tokenizer.json "$files/v5"
expect 0 '"tokens":\[294,309,26,197\]' "$program" caption --model "$files/v5" --max-tokens 4 --json $wide

# Other shapes than any compiled one: all numbers that differ, and the lines that would add them.
mkdir "$files/other"
cp $model/*.json $model/*.safetensors "$files/other"
sed 's/"hidden_size": 64,/"hidden_size": 32,/; s/"image_size": 56/"image_size": 70/' $model/config.json >"$files/other/config.json"
expect 1 'nearest is tiny, but image encoder image: expected 56, found 70; image encoder width: expected 64, found 32; ' \
  "$program" caption --model "$files/other" $wide
expect 0 '^  image encoder  VitConfig\{\.image = 70, \.patch = 14, \.width = 32, \.heads = 4, ' "$program" info --model "$files/other"
expect 0 '^  compiled +none' "$program" info --model "$files/other"
expect 1 'model_type: .* is none that this program knows' sh -c 'echo "{\"model_type\": \"llama\"}" >"$1/config.json"; "$0" info --model "$1"' \
  "$program" "$files/other"

# What is written is written, or the program says so.
full() { expect 1 '^tessera: \[file.open\] standard output: cannot be written$' sh -c '"$0" "$@" >/dev/full' "$program" "$@"; }
if [ -c /dev/full ]; then
  full caption --model $model $wide
  full caption --model $model --json --max-tokens 2 $wide
  full info --model $model
  full mask causal
  full --version
fi

# Several pictures: an empty prompt, one that is broken, one from standard input, one with a name that looks like a list.
expect 0 'tall.png: ' "$program" caption --model $model --max-tokens 2 --prompt= $wide tests/golden/images/tall.png
expect 0 '"prompt_tokens":\[600,600,600,600,600,600,600,600,2\]' "$program" caption --model $model --max-tokens 2 --json --prompt= $wide
for line in '^tessera: \[image\..*cut_data.png: ' '^tessera: \[file.open\] nothing.png: ' 'tall.png: .'; do
  expect 1 "$line" "$program" caption --model $model --max-tokens 4 $wide tests/golden/malformed/images/cut_data.png nothing.png \
    tests/golden/images/tall.png
done
expect 0 '"tokens":\[294,309,26,197\]' sh -c '"$0" caption --model "$1" --max-tokens 4 --json - <"$2"' "$program" $model $wide
expect 1 '^tessera: .*standard input: the file is empty' sh -c '"$0" caption --model "$1" - </dev/null' "$program" $model
cp $wide "$files/[cat]"
expect 0 '"tokens":\[294,309,26,197\]' sh -c 'cd "$2" && "$0" caption --model "$1" --max-tokens 4 --json "[cat]"' \
  "$(realpath "$program")" "$PWD/$model" "$files"

# A picture that fails only when it is prepared, as it is so narrow that its shortest edge would make it too large: in a full batch and
# in the last one it is named, and those beside it are not lost.
for folder in $model $itr $t5; do
  mkdir "$files/crops-$(basename $folder)"
  cp $folder/*.json $folder/*.safetensors "$files/crops-$(basename $folder)"
  cp tests/golden/clip_vision/preprocessor_config.json "$files/crops-$(basename $folder)"
done
narrow=$files/narrow.ppm
{ printf 'P6\n1 60000\n255\n' && head -c 180000 /dev/zero; } >"$narrow"
named="^tessera: \[image.size\] .*narrow.ppm: a picture of 1×60000 pixels would become"
for command in "caption --model $files/crops-blip2_opt --max-tokens 2" "match --model $files/crops-blip2_itr --text a"; do
  for pictures in "$narrow $wide" "$wide $narrow $tall" "$wide $wide $wide $narrow $tall $tall $tall $tall $wide"; do
    expect 1 "$named" "$program" $command --json $pictures
    expect 0 '^0$' sh -c 'want=$1 && shift && found=$("$@" 2>/dev/null | grep -c "\"picture\":\"tests") && echo $((want - found))' '' \
      $(($(echo $pictures | wc -w) - 1)) "$program" $command --json $pictures
  done
done
expect 1 "$named" "$program" accuracy --model "$files/crops-blip2_t5" --tokens 4 $wide "$narrow" $tall
expect 1 '^[0-9]+ of 8 tokens are the same$' "$program" accuracy --model "$files/crops-blip2_t5" --tokens 4 $wide "$narrow" nothing.png $tall
expect 1 '^tessera: \[file.open\] nothing.png: ' "$program" accuracy --model $t5 --tokens 4 nothing.png $wide
expect 1 '^tessera: \[image.size\] a picture of 1×60000' "$program" accuracy --model "$files/crops-blip2_t5" "$narrow"
expect 1 "$named" "$program" features --model "$files/crops-blip2_itr" --out "$files/features" "$narrow" $wide
expect 1 "$named" "$program" search --model "$files/crops-blip2_itr" --index "$files/crops" "$narrow" $wide
expect 0 ' 1 pictures, 0 of them new$' "$program" search --model "$files/crops-blip2_itr" --index "$files/crops" $wide
long=$(printf 'a photo of a cat %.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)
expect 0 '^1$' sh -c '"$@" 2>&1 | grep -c sequence.length' '' "$program" match --model $itr --text "$long" $wide $tall $wide

# The index of a search: pictures are computed once, and again when they change.
cp $wide $tall "$files"
expect 0 ' 2 pictures, 2 of them new$' "$program" search --model $itr --index "$files/index" --text 'a cat' "$files/wide.png" "$files/tall.png"
expect 0 ' 2 pictures, 0 of them new$' "$program" search --model $itr --index "$files/index" --text 'a cat' "$files/wide.png" "$files/tall.png"
touch -d '2001-01-01' "$files/tall.png"
expect 0 ' 2 pictures, 1 of them new$' "$program" search --model $itr --index "$files/index" "$files/tall.png"
expect 0 '"score":' "$program" search --model $itr --index "$files/index" --text 'a cat' --rerank 1 --json
expect 0 '^ +1\.000 .*wide.png$' "$program" search --model $itr --index "$files/index" --like $wide --top 1
expect 1 'expected features of the weights that are asked for' "$program" search --model $itr --weights i8 --index "$files/index" --text 'a cat'
# The style of LAVIS is that of `match`, and features that are made in another way are not mixed.
first() { "$program" "$@" | head -n 1 | sed 's/.*"itc":\[*//; s/[],}].*//'; }
asked='A CAT, in "the" forest!'
expect 0 '^same$' sh -c '[ -n "$1" ] && [ "$1" = "$2" ] && [ "$1" != "$3" ] && echo same || echo "$1, $2, $3"' '' \
  "$(first match --model $itr --style lavis --contrast-only --text "$asked" --json $wide)" \
  "$(first search --model $itr --style lavis --index "$files/lavis" --text "$asked" --json $wide 2>/dev/null)" \
  "$(first search --model $itr --index "$files/plain" --text "$asked" --json $wide 2>/dev/null)"
other_reading='^tessera: \[option.value\] .*: expected pictures read as by these options \(resize 56x56, .*\), found .*last norm.s eps'
expect 1 "$other_reading 1e-06" "$program" search --model $itr --style lavis --index "$files/index" --text 'a cat'
expect 1 "$other_reading 1e-05" "$program" search --model $itr --index "$files/lavis" --text 'a cat'
expect 1 "$other_reading" "$program" search --model $itr --transparency white --index "$files/index" --text 'a cat'
expect 1 "$other_reading" "$program" search --model $itr --ignore-orientation --index "$files/index" --text 'a cat'
expect 0 ' 2 pictures, 0 of them new$' "$program" search --model $itr --style transformers --index "$files/index" --text 'a cat'
sed 's/"reading":"/"rEading":"/' "$files/index" >"$files/older"
expect 1 'found an index that does not say how, to be deleted and made again$' "$program" search --model $itr --index "$files/older" --text 'a cat'
expect 1 'sequence.length' "$program" features --model $itr --out "$files/features" --text "$long"
expect 0 'features of 0 pictures and 1 texts$' "$program" features --model $itr --style lavis --out "$files/features" --text "$long"
expect 2 'text' "$program" search --model $itr --index "$files/index" --text 'a cat' --text 'a dog'
rm "$files/tall.png"
expect 1 'tall.png: ' "$program" search --model $itr --index "$files/index" "$files/tall.png" "$files/wide.png"
expect 1 '^ *-?[0-9.]+ +.*wide.png' "$program" search --model $itr --index "$files/index" --text 'a cat' --rerank 2
expect 1 '^tessera: .*--rerank: expected a --text' "$program" search --model $itr --index "$files/index" --like $wide --rerank 1
expect 1 '^tessera: .*: expected an index of pictures' "$program" search --model $itr --index $model/expected.safetensors --text x
expect 0 'features of 1 pictures and 1 texts$' "$program" features --model $itr --out "$files/features" --text 'a cat' $wide
expect 0 '' "$program" caption --model $model --max-tokens 4 --attention "$files/map.png" $wide
expect 0 'PNG' head -c 4 "$files/map.png"
expect 0 '' "$program" caption --model $t5 --max-tokens 4 --attention "$files/map_t5.png" $wide
expect 0 'PNG' head -c 4 "$files/map_t5.png"

# A model put together from parts.
expect 0 '"tokens":\[294,309,26,197\]' "$program" caption --vision $model --qformer $model --language $model --shape tiny --max-tokens 4 --json $wide
expect 1 '^tessera: .*--shape: expected one of blip2-opt-2.7b, ' "$program" caption --vision $model --qformer $model --language $model $wide
# The shapes of LAVIS fine-tuned on COCO, at 364 pixels, are compiled: the tiny parts here do not fit them.
for shape in lavis-opt-2.7b-coco lavis-opt-6.7b-coco; do
  expect 1 '^tessera: \[config.unsupported\] image encoder: .*: image: expected 364, found 56' \
    "$program" caption --vision $model --qformer $model --language $model --shape $shape $wide
done
expect 1 '^tessera: \[config.unsupported\] language model: .*t5.*: ' "$program" caption --vision $model --qformer $model --language $t5 --shape tiny $wide
expect 1 '^tessera: .*expected either --model, or --vision.*found both$' "$program" caption --model $model --vision $model $wide

# The first stage speaks in the Q-Former's own words: the tokens of tests/golden/make/stage1_captions.py, which tests/generate/caption_stage1.cpp
# checks too. LAVIS stores no image encoder; a folder with one says so in its config.json.
stage1=tests/golden/stage1
of_stage1() {
  command=$1
  shift
  "$program" "$command" --vision $itr --qformer $stage1 --tokenizer $stage1 --shape tiny-stage1 "$@"
}
expect 0 '"text":"##id!hoto 🇫hoto a isid!! abovek","tokens":\[241,5,228,176,228,114,214,241,5,5,291,26\]' of_stage1 caption --max-tokens 12 --json $wide
expect 0 '^##id!hoto 🇫hoto a isid!! abovek$' of_stage1 caption --max-tokens 12 --threads 1 $wide
expect 0 '^tests/golden/images/wide.png: ##idainid 🇫hoto a isid!! abovek € € € € € 日 日 is € € 日 日 € € € 日 日$' \
  of_stage1 caption --style lavis $wide $tall
expect 0 '^!hoto! 🇫hoto 🇫 above 🇫hoto 🇫 abovek € €id 日! 日! above a € 日 日ᅨ a € 日 日$' \
  of_stage1 caption --beams 3 --min-tokens 9 --max-tokens 29 $tall
expect 0 '"prompt_tokens":\[380,[0-9]+,[0-9]+' of_stage1 caption --prompt 'a cat' --max-tokens 4 --json $wide
expect 1 '^tessera: \[option.value\] ask: expected a BLIP-2 with a language model, .*tiny-stage1' of_stage1 ask --question 'what?' $wide
expect 1 '^tessera: \[option.value\] --attention: expected a BLIP-2 with a language model' of_stage1 caption --attention "$files/x.png" $wide
expect 1 '^tessera: \[option.value\] style: expected lavis, found transformers' of_stage1 caption --style transformers $wide
expect 1 '^tessera: \[option.value\] language model: expected no path' of_stage1 caption --language $model $wide
expect 1 '^tessera: .*a checkpoint of the first stage without its image encoder: expected that as --vision' "$program" caption --model $stage1 $wide
expect 0 '^  Q-Former       QFormerConfig\{\.queries = 8, .*\.vocabulary = 381' "$program" info --model $stage1

# Weights packed as they lie in memory give the same tokens; what fewer bits change is measured.
expect 0 ' of F32 weights for processors of this kind$' "$program" pack --model $model --out "$files/packed"
expect 0 '"tokens":\[294,309,26,197\]' "$program" caption --model "$files/packed" --max-tokens 4 --json $wide
expect 0 'packed tensors' "$program" info --model "$files/packed"
expect 1 'holds packed weights already$' "$program" pack --model $model --out "$files/packed"
expect 0 '[0-9]+ of 16 tokens are the same$' "$program" accuracy --model $t5 $wide
expect 1 '^tessera: \[config.unsupported\] .*: accuracy needs a BLIP-2 with a language model, .*; this one is for `tessera match` and' \
  "$program" accuracy --model $itr $wide
expect 1 '^tessera: .*: accuracy needs a BLIP-2 with a language model, .*; this one, of the first stage, is for `tessera caption`' \
  "$program" accuracy --model $stage1 $wide
expect 1 "^tessera: .*: accuracy needs .*; found model_type 'opt'\$" "$program" accuracy --model tests/golden/opt $wide
expect 0 '"weights":"bf16"' "$program" accuracy --model $model --weights bf16 --tokens 4 --json $wide $tall

# Options.
expect 1 "^tessera: \[option.value\] prompt: expected text, found the special token '<image>'$" \
  "$program" caption --model $model --prompt 'a <image> of' $wide
expect 2 'Value 0 not in range 0.010000 to 100.000000$' "$program" caption --model $model --repetition-penalty 0 $wide
expect 1 'model.safetensors: expected a checkpoint folder with config.json and weights, found a file$' \
  "$program" caption --model tests/golden/opt/model.safetensors $wide

expect 0 '^64 queries × 64 keys, 62.9 % visible; of 4 tiles of 32 × 32, 1 skipped, 1 masked, 2 whole: up to 1.33×' \
  "$program" mask 'prefix 32 | causal'
expect 0 '^##\.\.$' "$program" mask 'prefix 2 | causal' --queries 4
expect 0 '"tiles":\{"masked":2,"skipped":1,"whole":1\}' "$program" mask causal --json --tile 32 32
expect 0 '^head 1$' "$program" mask 'heads 1' --queries 3 --keys 5 --heads 2
expect 0 '^multimodal_causal N' "$program" mask --list
expect 0 '' "$program" mask 'window 64 | global_window 4 8' --queries 512 --png "$files/mask.png" --svg "$files/mask.svg"
expect 0 'PNG' head -c 4 "$files/mask.png"
expect 0 '</svg>' tail -n 1 "$files/mask.svg"
expect 1 "^tessera: .*mask 'full & cusal', character 8: expected a mask, perhaps causal, found 'cusal'$" \
  "$program" mask 'full & cusal'
expect 1 "^tessera: .*character 8: expected a whole number from 0 to 1000000000, found 'x'$" "$program" mask 'window x'
expect 1 '^tessera: .*is not for 64 queries and 3 keys' "$program" mask causal --keys 3
expect 1 '^tessera: \[file.open\] /nowhere/x.png: cannot be written' "$program" mask full --png /nowhere/x.png
expect 1 '^tessera: \[file.open\] /nowhere/x.svg: cannot be written' "$program" mask full --svg /nowhere/x.svg
expect 2 '16384' "$program" mask full --queries 16385
expect 2 'tile' "$program" mask full --tile 0 32
expect 2 'MASK' "$program" mask

# Curves of training logs.
printf '{"step":%s,"loss.itc":%s,"rate":1e-04}\n' 1 3.5 2 2.5 3 null 4 1.5 >"$files/first.jsonl"
printf '{"step":%s,"loss.itc":%s}\n' 1 4 2 3 >"$files/second.jsonl"
expect 0 '^loss.itc +3.5 +1.5   steps 1 to 4$' "$program" plot "$files/first.jsonl"
expect 0 '^rate +0.0001 +0.0001   steps 1 to 4   first$' "$program" plot "$files/first.jsonl" "$files/second.jsonl" --svg "$files/curves.svg"
expect 0 '</svg>' tail -n 1 "$files/curves.svg"
expect 0 'second</text>' cat "$files/curves.svg"
expect 0 '^loss.itc +4 +3   steps 1 to 2$' "$program" plot "$files/second.jsonl" --only loss
expect 1 '^tessera: \[option.value\] .*second.jsonl: expected numbers of steps of the names that --only gives, found none$' \
  "$program" plot "$files/second.jsonl" --only rate
expect 1 '^tessera: \[file.open\] /nowhere/x.svg: cannot be written: ' "$program" plot "$files/first.jsonl" --svg /nowhere/x.svg
echo '{"loss":1}' >>"$files/second.jsonl"
expect 1 "^tessera: .*second.jsonl:3: expected 'step', found none$" "$program" plot "$files/second.jsonl"

# Training: a small first stage on the pictures here, gone on with after an interruption to the same bits, and the second stage over it.
for picture in wide tall gray palette photo_420 photo_444; do
  ending=png
  case $picture in photo*) ending=jpg ;; esac
  printf '{"image": "%s.%s", "caption": "a %s picture of a boat"}\n' $picture $ending "$picture"
done >"$files/captions.jsonl"
config() { # config FILE STAGE SHAPE OUT START MORE
  printf '{"stage": "%s", "shape": "%s", "out": "%s", "start": {%s},\n "data": {"file": "%s", "images": "tests/golden/images"},\n' \
    "$2" "$3" "$files/$4" "$5" "${data:-$files/captions.jsonl}" >"$1"
  printf ' "batch": 4, "schedule": {"peak": 1e-3, "warmup_steps": 1}, "seed": 3, %s}\n' "$6" >>"$1"
}
begun="\"vision\": \"$itr\", \"qformer\": \"$itr\""
more="\"steps\": 6, \"save_every\": 2, \"keep\": 9, \"export\": \"$files/trained\", \"micro_batches\": 2, \"clip\": 1,
 \"validation\": {\"every\": 3, \"file\": \"$files/captions.jsonl\", \"images\": \"tests/golden/images\"}"
config "$files/stage1.json" stage1 tiny run "$begun" "$more"
expect 0 '^step 3: validation.itc [0-9.]+ validation.itm .* validation.r1_text_to_image [01].* validation.r1_text_to_image_reranked [01]' "$program" train --config "$files/stage1.json"
expect 1 'run: holds a run already; go on with it by --resume' "$program" train --config "$files/stage1.json"
cp "$files/run/step-6/model.safetensors" "$files/whole.safetensors"
rm -r "$files/run/step-4" "$files/run/step-6"
expect 0 '^6 steps, .*run/step-6$' "$program" train --config "$files/stage1.json" --resume --threads 1
expect 0 '' cmp "$files/whole.safetensors" "$files/run/step-6/model.safetensors"
expect 0 '^loss.itm +[0-9.]+ +[0-9.]+   steps 1 to 6$' "$program" plot "$files/run/log.jsonl" --svg "$files/run.svg"
expect 0 '"itc":\[' "$program" match --model "$files/trained" --text 'a boat' --json $wide
sed 's/1e-3/2e-3/' "$files/stage1.json" >"$files/other.json"
expect 1 'settings.json: schedule.peak: expected 0.001 as the run began with, found 0.002' "$program" train --config "$files/other.json" --resume

config "$files/stage2.json" stage2 tiny run2 "\"vision\": \"$itr\", \"qformer\": \"$files/run/step-6\", \"language\": \"$model\"" \
  "\"steps\": 2, \"export\": \"$files/speaks\""
expect 0 'the model: .*speaks$' "$program" train --config "$files/stage2.json"
expect 0 '"tokens":' "$program" caption --model "$files/speaks" --max-tokens 4 --json $wide
config "$files/t5.json" stage2 tiny-t5 run3 "\"model\": \"$t5\"" '"steps": 2'
expect 0 '^2 steps, ' "$program" train --config "$files/t5.json"
config "$files/augmented.json" stage2 tiny run4 "\"model\": \"$model\"" '"steps": 2, "recompute": true, "frozen_weights": "bf16"'
sed 's/"data": {/"data": {"augment": true, "prompt": "a photo of ", /' "$files/augmented.json" >"$files/stage2a.json"
expect 0 '^2 steps, ' "$program" train --config "$files/stage2a.json"
printf 'a boat on the water\n\na cat asleep\ntwo dogs at play\nthe sea\n' >"$files/text.txt"
data=$files/text.txt
config "$files/language.json" language tiny-opt run5 '"tokenizer": "tests/golden/opt"' \
  "\"steps\": 4, \"validation\": {\"every\": 4, \"file\": \"$files/text.txt\"}"
config "$files/language_t5.json" language tiny-t5 run9 '"tokenizer": "tests/golden/t5"' \
  "\"steps\": 4, \"validation\": {\"every\": 4, \"file\": \"$files/text.txt\"}"
data=
expect 0 '^step 4: validation.loss [0-9.]+$' "$program" train --config "$files/language_t5.json"
expect 0 '^step 4: validation.loss [0-9.]+$' "$program" train --config "$files/language.json"
expect 0 '^  language model OptConfig' "$program" info --model "$files/run5/step-4"

# Image features that several runs share, in a path without a folder.
sed "s#tests/golden#$PWD/tests/golden#g; s#$files/run2#$files/run10#; s#, \"export\": \"[^\"]*\"#, \"feature_cache\": \"features\"#" \
  "$files/stage2.json" >"$files/shared.json"
expect 0 '^2 steps, ' sh -c 'cd "$1" && "$0" train --config shared.json' "$(realpath "$program")" "$files"
expect 0 '' test -s "$files/features.train.safetensors"

# Learned by heart, four pictures and their captions find each other, by contrast and after matching.
head -n 4 "$files/captions.jsonl" >"$files/four.jsonl"
validated() { # validated FILE: a validation of four rows at the end
  printf '"micro_batches": 2, "dropout": 0, "validation": {"every": 60, "rerank": 3, "file": "%s", "images": "tests/golden/images"}' "$1"
}
data=$files/four.jsonl
config "$files/four.json" stage1 tiny run8 "$begun" "\"steps\": 60, $(validated "$files/four.jsonl")"
sed 's/"peak": 1e-3/"anneal": "none", "peak": 3e-3/' "$files/four.json" >"$files/by_heart.json"
all_found='r1_image_to_text 1 validation.r1_text_to_image 1 validation.r1_image_to_text_reranked 1 validation.r1_text_to_image_reranked 1$'
expect 0 "$all_found" "$program" train --config "$files/by_heart.json"

# Pictures with the same caption are no negatives of each other: all pairs of matching belong together, which is soon learned. Were they,
# the loss could not fall below 0.63, as a third of the pairs would match and two thirds of the same ones would not.
sed 's/a [a-z0-9_]* picture/a picture/; 4q' "$files/captions.jsonl" >"$files/alike.jsonl"
data=$files/alike.jsonl
config "$files/alike.json" stage1 tiny run7 "$begun" "\"steps\": 60, $(validated "$files/alike.jsonl")"
data=
expect 0 "$all_found" "$program" train --config "$files/alike.json"
expect 0 '^loss.itm +[0-9.]+ +(0|0\.[0-3][0-9]*|[0-9.]+e-[0-9]+)   steps 1 to 60$' "$program" plot "$files/run7/log.jsonl"

# Pictures are read as the folder of the parts says, and what is trained says so.
mkdir "$files/bright"
cp $itr/* "$files/bright"
sed 's/0.48145466/0.25/' $itr/preprocessor_config.json >"$files/bright/preprocessor_config.json"
for part in $itr "$files/bright"; do
  config "$files/bright.json" stage1 tiny "of-$(basename "$part")" "\"vision\": \"$part\", \"qformer\": \"$part\"" '"steps": 1'
  expect 0 '^1 steps, ' "$program" train --config "$files/bright.json"
done
first_loss() { sed -n '1s/.*"loss":\([0-9.]*\),.*/\1/p' "$files/$1/log.jsonl"; }
expect 1 '^' test "$(first_loss of-blip2_itr)" = "$(first_loss of-bright)"
expect 0 '0\.25,' cat "$files/of-bright/step-1/preprocessor_config.json"
config "$files/bright.json" stage2 tiny speaks-bright "\"vision\": \"$itr\", \"qformer\": \"$files/of-bright/step-1\", \"language\": \"$model\"" \
  '"steps": 1'
expect 0 '^1 steps, ' "$program" train --config "$files/bright.json"
expect 0 '0\.25,' cat "$files/speaks-bright/step-1/preprocessor_config.json"

# Products of frozen weights in bf16 arithmetic: other losses, but not by much.
for stage in stage1 stage2; do
  start=$begun
  [ $stage = stage2 ] && start="\"model\": \"$model\""
  for products in f32 bf16; do
    config "$files/$stage-$products.json" $stage tiny $stage-$products "$start" \
      "\"steps\": 1, \"dropout\": 0, \"frozen_weights\": \"bf16\", \"products\": \"$products\""
    expect 0 '^1 steps, ' "$program" train --config "$files/$stage-$products.json"
  done
  expect 0 '^close$' awk -v a="$(first_loss $stage-f32)" -v b="$(first_loss $stage-bf16)" \
    'BEGIN { d = (a - b) / a; print (d > 0 || d < 0) && d * d < 1e-4 ? "close" : a " and " b }'
done
sed 's/"products": "bf16"/"products": "f32"/' "$files/stage2-bf16.json" >"$files/other.json"
expect 1 "settings.json: products: expected 'bf16' as the run began with, found 'f32'" "$program" train --config "$files/other.json" --resume

# Schedules: of the paper by steps, of LAVIS by epochs, here of two micro-batches.
data=$files/text.txt
rates() { # rates NAME SCHEDULE RATE...: what the log says
  config "$files/$1.json" language tiny-opt "$1" '"tokenizer": "tests/golden/opt"' '"steps": 4, "micro_batches": 2'
  sed "s/\"peak\": 1e-3, \"warmup_steps\": 1/\"peak\": 1e-3, \"warmup_steps\": 1, $2/" "$files/$1.json" >"$files/rates.json"
  expect 0 '^4 steps, ' "$program" train --config "$files/rates.json"
  expect 0 "^$3\$" sh -c 'printf "%s " $(sed "s/.*\"rate\":\([^,]*\),.*/\1/" "$1/log.jsonl")' '' "$files/$1"
}
rates by_steps '"anneal": "step", "factor": 0.5, "every": 2' '0 0.001 0.001 5e-04 '
rates by_line '"anneal": "linear", "start": 5e-4' '5e-04 0.001 0.000666[0-9]* 0.000333[0-9]* '
rates by_epochs '"form": "lavis", "anneal": "step", "factor": 0.5' '1e-06 5e-04 0.00025 0.000125 '
rates by_lavis '"form": "lavis", "start": 1e-3, "floor": 0' '0.001 0.00085355[0-9]* 5e-04 0.00014644[0-9]* '
data=

# Training that diverges, here by dividing by zero, ends with the step and the objective, and weights that are no numbers are not saved.
diverges() { # diverges OBJECTIVE STAGE SHAPE START
  for every in 1 2; do
    config "$files/diverges.json" "$2" "$3" "diverges-$2-$every" "$4" "\"steps\": 2, \"save_every\": $every, \"adamw\": {\"eps\": 0}"
    what="step $every: $1"
    [ $every = 2 ] || what="step 1: weights of '.*'"
    expect 1 "^tessera: \[training.value\] $what: expected a finite number, found -?(nan|inf); no state was saved before\$" \
      "$program" train --config "$files/diverges.json"
  done
}
diverges 'loss.it[cmg]' stage1 tiny "$begun"
diverges loss stage2 tiny-t5 "\"model\": \"$t5\""
data=$files/text.txt
diverges loss language tiny-opt '"tokenizer": "tests/golden/opt"'
data=

# An interrupt is not the end: the state is saved.
config "$files/long.json" stage1 tiny run6 "$begun" '"steps": 1000000, "save_every": 1000000'
expect 130 '^stopped after [1-9][0-9]* of 1000000 steps; --resume goes on$' sh -c '"$0" train --config "$1" & while ! [ -s "$2/log.jsonl" ]
  do sleep 0.1; done; kill -INT $!; wait $!' "$program" "$files/long.json" "$files/run6"
expect 0 '^model.safetensors$' ls "$files/run6/$(cat "$files/run6/latest")"

mkdir "$files/broken"
cp tests/golden/images/* "$files/broken"
cp tests/golden/malformed/images/cut_data.png "$files/broken/gray.png"
wrong() { # wrong PATTERN SED: the config of stage 1, changed
  sed "s#$files/run\"#$files/none\"#; s#$files/trained#$files/none2#; $2" "$files/stage1.json" >"$files/wrong.json"
  expect 1 "$1" "$program" train --config "$files/wrong.json"
}
wrong 'wrong.json: schedule.peek: expected one of the keys anneal, floor, form, peak, start, warmup_steps, found this one$' 's/"peak"/"peek"/'
wrong "wrong.json: schedule.form: expected one of paper, lavis, found 'cosine'$" 's/"peak"/"form": "cosine", "peak"/'
wrong "wrong.json: schedule.anneal: expected one of cosine, step, found 'linear'$" 's/"peak"/"form": "lavis", "anneal": "linear", "peak"/'
wrong 'wrong.json: schedule.factor: expected above 0 and at most 1, found 0$' 's/"peak"/"anneal": "step", "factor": 0, "peak"/'
wrong 'wrong.json: schedule.start: expected 0 to the peak of 0.001, found 0.5$' 's/"peak"/"form": "lavis", "start": 0.5, "peak"/'
wrong "wrong.json: products: expected one of f32, bf16, found 'f16'$" 's/"seed"/"products": "f16", "seed"/'
wrong 'wrong.json: products: expected f32 where frozen_weights are not bf16, found bf16$' 's/"seed"/"products": "bf16", "seed"/'
wrong 'wrong.json: validation.rerank: expected a whole number from 0 to ' 's/"every": 3/"every": 3, "rerank": -1/'
wrong "wrong.json: expected 'batch', found none$" 's/"batch": 4, //'
wrong "wrong.json: stage: expected one of stage1, stage2, language, found 'stage3'$" 's/"stage1"/"stage3"/'
wrong "wrong.json: shape: expected a compiled one for stage1 .*, found 'huge'$" 's/"tiny"/"huge"/'
wrong 'wrong.json: micro_batches: expected a divisor of the batch of 4, found 3$' 's/"micro_batches": 2/"micro_batches": 3/'
wrong 'wrong.json: schedule.warmup_steps: expected 0 to 6, the steps there are, found 9$' 's/"warmup_steps": 1/"warmup_steps": 9/'
wrong 'wrong.json: schedule.floor: expected 0 to the peak of 0.001, found 0.5$' 's/"peak"/"floor": 0.5, "peak"/'
wrong 'captions.jsonl:1: image: .*nowhere/wide.png: No such file' 's#tests/golden/images#nowhere#'
wrong 'wrong.json: start.vision: expected by stage1, found none$' "s#\"vision\": \"$itr\", ##"
wrong "image encoder: tests/golden/opt/config.json: .*expected a model with one, found model_type 'opt'$" "s#\"vision\": \"$itr\"#\"vision\": \"tests/golden/opt\"#"
wrong "Q-Former: 'qformer.embeddings.word_embeddings.weight': expected by the model .*not found in $model" "s#\"qformer\": \"$itr\"#\"qformer\": \"$model\"#"
wrong 'captions.jsonl:3: image: .*/gray.png: PNG: the file is cut ' "s#\"images\": \"tests/golden/images\"#\"images\": \"$files/broken\"#"
wrong 'wrong.json: start: expected either bert or qformer, found neither$' "s#, \"qformer\": \"$itr\"##"
sed "s#$model#$t5#; s#$files/run2#$files/none#; s#$files/speaks#$files/none2#" "$files/stage2.json" >"$files/wrong.json"
expect 1 'language model: .*t5' "$program" train --config "$files/wrong.json"
sed "s#$files/run\"#$files/none\"#" "$files/stage1.json" >"$files/wrong.json"
expect 1 'wrong.json: export: .*trained: expected a folder that is yet to be made, found one$' "$program" train --config "$files/wrong.json"
expect 1 'none: expected a run to go on with, found no settings.json$' "$program" train --config "$files/wrong.json" --resume

expect 2 'subcommand' "$program"
expect 1 'expected either --model, or --vision, --qformer and --language, found neither$' "$program" caption x.png
expect 1 'PICTURE or --list: expected at least one picture, found none' "$program" caption --model $model
expect 2 'f8' "$program" caption --model $model --weights f8 x.png
expect 2 'cache' "$program" caption --model $model --cache i8 x.png
expect 0 '"tokens":\[[0-9]+,[0-9]+\]' "$program" caption --model $model --cache bf16 --max-tokens 2 --json $wide
expect 0 '"tokens":\[[0-9]+,[0-9]+\]' "$program" caption --model $model --weights bf16 --products bf16 --max-tokens 2 --json $wide
expect 1 '^tessera: \[option.value\] --products bf16: expected weights kept as bf16, found none: add --weights bf16, or pack them so$' \
  "$program" caption --model $model --products bf16 $wide
expect 1 '--products bf16: expected weights kept as bf16, found --weights i8$' \
  "$program" caption --model $model --weights i8 --products bf16 $wide
expect 0 different sh -c '[ "$("$0" match "$@")" = "$("$0" match --products bf16 "$@")" ] || echo different' \
  "$program" --model $itr --weights bf16 --json --text 'a cat' $wide
expect 0 '' "$program" search --model $itr --weights bf16 --index "$files/bf16.index" $wide
expect 1 'expected pictures read as by these options .*products in bf16\), found' \
  "$program" search --model $itr --weights bf16 --products bf16 --index "$files/bf16.index" --text 'a cat'
expect 2 'threads' "$program" caption --model $model --threads 0 x.png

expect 1 '^tessera: \[file.open\] nothing.png: ' "$program" caption --model $model nothing.png
expect 1 '^tessera: \[image\.' "$program" caption --model $model tests/golden/malformed/images/cut_data.png
expect 1 '^tessera: \[sequence.length\] prompt and max_tokens: expected at most 160 positions' \
  "$program" caption --model $model --max-tokens 1000 tests/golden/images/wide.png
expect 0 '^1$' sh -c '"$0" caption --model "$1" --max-tokens 1000 "$2" "$2" 2>&1 | grep -c sequence.length' "$program" $model $wide
expect 1 '^tessera: .*nowhere' "$program" caption --model nowhere tests/golden/images/wide.png
expect 1 "^tessera: \[config.unsupported\] .*captions need a BLIP-2 with .*; found model_type 'opt'\$" \
  "$program" caption --model tests/golden/opt tests/golden/images/wide.png
expect 1 '^tessera: \[file.open\] /nowhere/x: cannot be written' \
  "$program" caption --model $model --dump /nowhere/x tests/golden/images/wide.png

[ $failures = 0 ] && echo "every call as expected"
exit $((failures > 0))
