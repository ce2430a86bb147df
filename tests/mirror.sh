#!/bin/sh
# Prints Debian's mirror, as the machine's own apt sources name it; DEBIAN_MIRROR names another.
set -eu

if [ -n "${DEBIAN_MIRROR-}" ]; then
    echo "$DEBIAN_MIRROR"
    exit 0
fi
suites='[a-z]*stable|testing|bookworm|trixie|forky|duke|sid'
apt-get update --print-uris 2>/dev/null | sed -nE "s,^'(.*)/dists/($suites)/InRelease'.*,\1,p" | head -n 1
