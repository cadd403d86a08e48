#!/bin/sh
# From a bare Debian 12 to a trained network: installs what is missing, builds Sinter, compiles lenet.sinter to a native
# program and trains it on Fashion-MNIST.
#   sh examples/fashion/quickstart.sh [the program's flags]      e.g. --epochs 1 --seed 3
set -eu
cd "$(dirname "$0")/../.."

sh .ci/install
cmake --preset release
cmake --build --preset release --target sinter sinter-opt

build/bin/sinter build examples/fashion/lenet.sinter -o build/lenet
build/lenet --out run/lenet "$@"
