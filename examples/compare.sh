#!/bin/sh
# Runs PROGRAM, which must succeed, and compares what it prints with the file EXPECTED.
#   usage: compare.sh EXPECTED PROGRAM
set -eu
found=$("$2")
printf '%s\n' "$found" | diff -u "$1" -
