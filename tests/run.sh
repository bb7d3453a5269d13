#!/bin/sh
# Installs what is missing, builds with g++, with clang++, and what reads files with sanitizers, and runs all tests. The last lines are
# ctest's summary.
#   usage: sh tests/run.sh        TESSERA_INSTALL=no: installs nothing        JOBS=4: not one job per processor
set -eu
cd "$(dirname "$0")/.."
sh cmake/install_packages build example test
jobs=${JOBS:-$(nproc)}

trees=''
failed=''

# build PRESET [CMAKE-ARGUMENT...]
build() {
  preset=$1
  log=build/$preset.log
  started=$(date +%s)
  mkdir -p build
  printf 'build/%s: ' "$preset"
  trees="$trees $preset"
  if cmake --preset "$@" >"$log" 2>&1 && cmake --build "build/$preset" -j "$jobs" -- -k 0 >>"$log" 2>&1; then
    echo "built in $(($(date +%s) - started)) s"
  else
    failed="$failed build/$preset"
    echo "failed; from $log:"
    { grep -E -A4 'error:|CMake Error|undefined reference|multiple definition' "$log" || tail -n 60 "$log"; } | head -n 60
  fi
}

# g++ builds the kernels for every instruction set, the layers, the models, the program and the examples; clang++, in half of the time,
# all headers, the folders whose code is compiled differently, those that g++ leaves out, and what projects build that use this one.
build test -D TESSERA_TEST_FOLDERS='core;mask;study;reference;kernel;nn;model' -D TESSERA_TEST_PROJECT=OFF
build clang -D TESSERA_TEST_FOLDERS='core;kernel;nn;generate;train;scenes' -D TESSERA_TEST_ISAS=native -D TESSERA_EXAMPLES=OFF
build asan -D TESSERA_TEST_FOLDERS='image;text;checkpoint' -D TESSERA_TEST_HEADERS=OFF -D TESSERA_TEST_PROJECT=OFF \
  -D TESSERA_TEST_KERNELS=OFF -D TESSERA_EXAMPLES=OFF

# One run over all three trees, so that there is one summary.
echo "subdirs($trees)" >build/CTestTestfile.cmake
status=0
ctest --test-dir build -j "$jobs" --output-on-failure || status=$?
[ -z "$failed" ] || { echo "these builds failed, see above:$failed" && exit 1; }
exit $status
