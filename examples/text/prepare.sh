#!/bin/sh
# Writes the King James text (Debian's bible-kjv, public domain) to examples/text/kjv.txt, a verse a line.
set -eu
cd "$(dirname "$0")"
command -v bible >/dev/null || {
  root=; [ "$(id -u)" -eq 0 ] || root=sudo
  $root apt-get -q update
  $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends bible-kjv bible-kjv-text
}
bible -f gen1:1-rev22:21 | sed 's/^[^ ]* //' >kjv.txt
