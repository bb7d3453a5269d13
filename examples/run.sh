#!/bin/sh
# Installs what is missing, builds examples/tessera, and describes a picture with it.
#   usage: sh examples/run.sh        TESSERA_INSTALL=no: installs nothing
set -eu
cd "$(dirname "$0")/.."
sh cmake/install_packages build example

log=build/release.log
mkdir -p build
echo "building build/release/examples/tessera"
if ! { cmake --preset release && cmake --build build/release --target tessera_cli -j "$(nproc)"; } >"$log" 2>&1; then
  cat "$log"
  echo "examples/run.sh: the build failed, see above (and $log)"
  exit 1
fi

set -x
build/release/examples/tessera caption --model tests/golden/blip2_opt tests/golden/images/photo_420.jpg
