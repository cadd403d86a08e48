#!/bin/sh
# Fails, and shows where, if a C++ file is not formatted as .clang-format says.
#   sh tests/style/format.sh clang-format-22
set -eu
cd "$(dirname "$0")/../.."
find compiler dialects runtime tests \( -name '*.cpp' -o -name '*.h' \) -print0 |
  xargs -0 -n 32 "$1" --dry-run --Werror
