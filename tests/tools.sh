#!/bin/sh
# Makes sure of the tools that the tests need: installs them where it may, else says the one line to type.
set -eu

packages=
php=${PHP:-php}
modules=$("$php" -m 2>/dev/null) || modules=
missing=
for module in sockets posix pcntl json ctype; do
    echo "$modules" | grep -qx "$module" || missing="$missing $module"
done
if [ -n "$missing" ]; then
    # Packages mend the machine's own PHP only.
    if [ "$php" != php ]; then
        command -v "$php" >/dev/null 2>&1 || { echo "There is no PHP at $php." >&2; exit 1; }
        echo "The tests need extensions that $php lacks:$missing" >&2
        exit 1
    fi
    packages="$packages php-cli"
fi
command -v strace >/dev/null 2>&1 || packages="$packages strace"
command -v valgrind >/dev/null 2>&1 || packages="$packages valgrind"
[ -f /etc/protocols ] || packages="$packages netbase"
command -v git >/dev/null 2>&1 || packages="$packages git"
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
