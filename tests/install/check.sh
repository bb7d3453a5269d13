#!/bin/sh
# Builds attention.cpp, blip2.cpp and pictures.cpp the way WAY in the folder BUILD, from nothing, and runs them.
#   usage: check.sh <find_package|add_subdirectory|pkg_config|meson|single_header> BUILD
#   environment: CXX; PREFIX, where the library is installed; CMAKE, MESON, PKG_CONFIG
set -eu
way=$1 build=$2
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
strict='-std=c++20 -Wall -Wextra -Wconversion -Werror'
rm -rf "$build"
mkdir -p "$build"

case $way in
  find_package | add_subdirectory)
    "$CMAKE" -G Ninja -S "$here/$way" -B "$build" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_PREFIX_PATH="$PREFIX"
    "$CMAKE" --build "$build"
    ;;
  pkg_config)
    export PKG_CONFIG_PATH="$PREFIX/share/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    "$CXX" $strict "$here/attention.cpp" $("$PKG_CONFIG" --cflags --libs tessera) -o "$build/attention"
    "$CXX" $strict "$here/blip2.cpp" $("$PKG_CONFIG" --cflags --libs tessera-blip2) -o "$build/blip2"
    "$CXX" $strict "$here/pictures.cpp" "$here/own_stb_image.cpp" \
      $("$PKG_CONFIG" --cflags --libs tessera-exact-images tessera-webp) -o "$build/pictures"
    ;;
  meson)
    mkdir "$build/project" "$build/project/subprojects"
    cp "$here/meson/meson.build" "$here"/*.cpp "$build/project"
    ln -s "$project" "$build/project/subprojects/tessera"
    (cd "$build/project" && CXX="$CXX" "$MESON" setup "$build/out" && "$MESON" compile -C "$build/out")
    mv "$build/out/attention" "$build/out/kernels" "$build/out/blip2" "$build/out/pictures" "$build"
    ;;
  single_header)  # no OpenMP, and nothing of this project on the include path
    mkdir -p "$build/include/tessera"
    for umbrella in attention tessera; do
      sh "$project/cmake/amalgamate" tessera/$umbrella.hpp >"$build/include/tessera/$umbrella.hpp"
    done
    for part in core/json image/decode text/unicode; do  # what blip2.cpp includes is all in the one file
      mkdir -p "$build/include/tessera/${part%/*}"
      echo '#include <tessera/tessera.hpp>' >"$build/include/tessera/$part.hpp"
    done
    if others=$(grep -En '^#include <(nlohmann|stb|turbojpeg|utf8proc|Eigen|sentencepiece)' "$build/include/tessera/attention.hpp"); then
      echo "attention.hpp needs more than the standard library and xsimd: $others"
      exit 1
    fi
    "$CXX" $strict -I "$build/include" "$here/attention.cpp" -o "$build/attention"
    "$CXX" $strict -I "$build/include" "$here/blip2.cpp" -lutf8proc -o "$build/blip2"
    ;;
  *) echo "check.sh: no such way: $way"; exit 2 ;;
esac
"$build/attention"
[ ! -x "$build/kernels" ] || "$build/kernels"
"$build/blip2" "$project/tests/golden/images/photo_420.jpg"
if [ "$way" != single_header ]; then
  "$build/pictures" "$project/tests/golden/images/photo_420.jpg" "$project/tests/image/pictures/lossy.webp"
fi
