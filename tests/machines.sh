#!/bin/sh
# Runs `make lesson-03` and `make test` in a Debian 13 of its own, with its rustc 1.85 and its PHP 8.4, then the library's
# own tests and those of the events compiled for aarch64, by an emulator. `sh tests/machines.sh debian` or `arm` is one of
# the two; `shell` is a shell there. Needs root, debootstrap and, the first time, the network: tests/mirror.sh says which mirror.
set -eu

machine=target/machines/debian-13
mirror=$(sh tests/mirror.sh)
what=${1:-all}

[ "$(id -u)" = 0 ] || { echo "This needs root. Type: sudo make machines" >&2; exit 2; }
command -v debootstrap >/dev/null 2>&1 || { echo "This needs debootstrap. Type: apt-get install debootstrap" >&2; exit 2; }

# Mounts in a namespace of their own go with its last process, however that ends.
if [ -z "${MACHINES_APART-}" ]; then
    MACHINES_APART=yes exec unshare --mount --propagation private sh "$0" "$@"
fi

inside() {
    chroot "$machine" env -i HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ${http_proxy:+http_proxy="$http_proxy"} \
        ${https_proxy:+https_proxy="$https_proxy"} sh -euc "$1"
}

# Mends what an interrupted installation has left behind.
installed() {
    inside "dpkg --configure -a && dpkg --add-architecture arm64
        dpkg -s $* >/dev/null 2>&1 || { apt-get update -qq
            apt-get install -y -qq --fix-broken --no-install-recommends $* >/dev/null; }"
}

# A file that is written last says that the folder is whole: what was interrupted begins again.
if [ ! -e "$machine/whole" ]; then
    rm -rf "$machine"
    mkdir -p "$machine"
    debootstrap --variant=minbase trixie "$machine" "$mirror"
    touch "$machine/whole"
fi
mount -t proc proc "$machine/proc"
mount --rbind /dev "$machine/dev"
cp /etc/resolv.conf "$machine/etc/resolv.conf"
installed ca-certificates cargo gcc git libc6-dev make
# The certificates of this machine, among which may be one of its own network.
[ ! -f /etc/ssl/certs/ca-certificates.crt ] ||
    cp /etc/ssl/certs/ca-certificates.crt "$machine/etc/ssl/certs/ca-certificates.crt"

# The files as they are now, and what was built of them before. A test asks git which files there are.
project=$machine/root/project
mkdir -p "$project"
find "$project" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard |
    tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory "$project"
inside 'cd /root/project && git init --quiet && git add --all'

debian() {
    inside 'cd /root/project && make lesson-03 && make test'
}

# An emulated process has no seccomp, no strace and no valgrind, which the other suites need too, lacks the highest signals,
# which the emulator keeps for itself, and cannot start its own program again.
arm() {
    installed gcc-aarch64-linux-gnu libc6-dev-arm64-cross libstd-rust-dev:arm64 qemu-user
    inside '
        cd /root/project
        export CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
        cargo test --quiet --features lessons --no-run
        cargo test --quiet --features lessons --lib --test event -- --skip tools:: --skip watchdog:: \
            --skip a_signals_number --skip without_a_descriptor_for_a_new_start --skip ten_thousand'
}

case $what in
debian | arm) "$what" ;;
shell) inside 'cd /root/project && exec bash' ;;
all) debian && arm ;;
*) echo "debian, arm or shell, not $what" >&2; exit 2 ;;
esac
