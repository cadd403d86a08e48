#!/bin/sh
# Builds Sinter twice, plain and with sanitizers, and runs the tests of both; ends with ctest's summary.
#   sh tests/run.sh [ctest's arguments]      e.g. sh tests/run.sh -L unit
set -eu
cd "$(dirname "$0")/.."

sh .ci/install
for preset in release sanitize; do
  cmake --preset "$preset"
  cmake --build --preset "$preset"
done

# One list of the tests of both builds, so that one summary speaks of all.
mkdir -p build/tests-of-both
printf 'subdirs("%s" "%s/sanitize")\n' "$PWD/build" "$PWD/build" >build/tests-of-both/CTestTestfile.cmake
exec ctest --test-dir build/tests-of-both --parallel "$(nproc)" --output-on-failure "$@"
