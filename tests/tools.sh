#!/bin/sh
# Makes sure of the tools that the tests need: installs them where it may, else says the one line to type.
set -eu

packages=
php -m 2>/dev/null | grep -qx sockets || packages="$packages php-cli"
command -v strace >/dev/null 2>&1 || packages="$packages strace"
command -v valgrind >/dev/null 2>&1 || packages="$packages valgrind"
[ -f /etc/protocols ] || packages="$packages netbase"
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing what the tests need:$packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    apt-get install -y -qq --no-install-recommends $packages >/dev/null
    exit 0
fi
echo "The tests need more tools. Type: sudo apt-get install$packages" >&2
exit 1
