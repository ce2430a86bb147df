#!/bin/sh
# Puts PHP 8.2, 8.4 and 8.5 (or the versions named as arguments) at target/php/8.5/php and so on: a link to the
# machine's own where it has that version, else from Debian's archives. Nothing is installed. PHP_TARGET names another folder.
set -eu

target=${PHP_TARGET:-target/php}
needs="sockets posix pcntl json ctype"
mkdir -p "$target"
target=$(cd "$target" && pwd)

fail() {
    echo "$0: $*" >&2
    exit 1
}

# Whether $1 is a PHP $2 with all that the tests need.
good() {
    [ "$("$1" -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;' 2>/dev/null)" = "$2" ] || return 1
    modules=$("$1" -m 2>/dev/null)
    for module in $needs; do
        echo "$modules" | grep -qx "$module" || return 1
    done
}

suites() {
    case $1 in
        8.2) echo bookworm ;;
        8.4) echo trixie ;;
        8.5) echo sid experimental ;;
        *) fail "no Debian archive is known to have PHP $1" ;;
    esac
}

# The apt configuration of one version: its own lists and cache, no hooks, no pins, nothing installed. A mirror that is a
# snapshot has old lists; their signatures are checked.
configure() {
    at=$1
    shift
    mkdir -p "$at/lists/partial" "$at/cache/archives/partial"
    : >"$at/status"
    for keyring in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
        [ -f "$keyring" ] && signed="[signed-by=$keyring]" && break
        signed=
    done
    for suite in "$@"; do
        echo "deb $signed $mirror $suite main"
    done >"$at/sources.list"
    cat >"$at/apt.conf" <<CONF
Acquire::Check-Valid-Until "false";
#clear APT::Update;
#clear DPkg::Post-Invoke;
Dir::State::Lists "$at/lists";
Dir::State::status "$at/status";
Dir::Cache "$at/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Etc::SourceList "$at/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Sandbox::User "root";
CONF
}

# The packages given, and the libraries that they need in turn.
closure() {
    conf=$1
    shift
    known=
    while [ $# -gt 0 ]; do
        known="$known $*"
        # shellcheck disable=SC2046 # a list of packages
        set -- $(apt-cache -c "$conf" depends "$@" | sed -nE 's/^ [ |](Pre)?Depends: (z?lib[^ <>:]*)$/\2/p' |
            sort -u | grep -vxF "$(printf '%s\n' $known)")
    done
    echo "$known"
}

# Fetches PHP $1 into $target/$1. An incomplete PHP never stands there.
fetch() {
    version=$1
    mirror=$(sh tests/mirror.sh)
    [ -n "$mirror" ] || fail "apt's sources name no Debian mirror; name one: DEBIAN_MIRROR=… make oracle"
    suites=$(suites "$version")
    echo "Fetching PHP $version from Debian's $suites"
    work=$target/.$version
    rm -rf "$work" "${target:?}/$version"
    # shellcheck disable=SC2086 # a list of suites
    configure "$work" $suites
    apt-get -c "$work/apt.conf" -qq update || fail "the package lists of $suites are not to be had"

    # patchelf runs by the fetched C library, for it comes from the same suite.
    packages=$(closure "$work/apt.conf" "php$version-cli" "php$version-common" libc6 patchelf)
    # shellcheck disable=SC2086 # a list of packages
    (mkdir "$work/debs" && cd "$work/debs" && apt-get -c "$work/apt.conf" -qq download $packages) ||
        fail "not all of these are in $suites:$packages"
    for deb in "$work"/debs/*.deb; do
        dpkg-deb -x "$deb" "$work/root"
    done
    for part in share/doc share/locale share/man share/lintian share/i18n lib/python3; do
        rm -rf "$work/root/usr/$part"
    done

    loader=$(find "$work/root" -name 'ld-linux*.so.*' ! -path '*/lib64/*' | head -n 1)
    [ -n "$loader" ] || fail "the C library of $suites has no program loader"
    libraries=$(dirname "$loader")
    libraries=${libraries#"$work/root"}
    rpath="\$ORIGIN/root$libraries:\$ORIGIN/root/usr/lib/$(basename "$libraries"):\$ORIGIN/root/lib/$(basename "$libraries")"
    path="$work/root$libraries:$work/root/usr/lib/$(basename "$libraries"):$work/root/lib/$(basename "$libraries")"
    # Its folder of more ini files is not the machine's, which may have some of another PHP of that version.
    LC_ALL=C sed "s,/etc/php/$version/cli/conf.d,/etc/php/$version/off/conf.d,g" "$work/root/usr/bin/php$version" \
        >"$work/php"
    chmod +x "$work/php"
    "$loader" --library-path "$path" "$work/root/usr/bin/patchelf" --force-rpath --set-rpath "$rpath" \
        --set-interpreter "$target/$version/${loader#"$work/"}" "$work/php"

    missing=$("$loader" --list "$work/php" 2>&1 | grep -v -e "$work" -e linux-vdso || true)
    [ -z "$missing" ] || fail "these libraries of PHP $version are in no package of $suites that it depends on:
$missing"

    # PHP reads the php.ini beside its program. It is Debian's, but reports deprecations too, and has
    # the extensions that are no part of the program.
    modules=$(dirname "$(find "$work/root/usr/lib/php" -name sockets.so | head -n 1)")
    [ -f "$modules/sockets.so" ] || fail "php$version-common has no sockets.so"
    {
        cat "$work/root/usr/lib/php/$version/php.ini-production.cli"
        printf '\nerror_reporting = E_ALL\n'
        echo "extension_dir = \"$target/$version${modules#"$work"}\""
        for module in $needs; do
            [ ! -f "$modules/$module.so" ] || echo "extension = $module"
        done
    } >"$work/php.ini"

    rm -rf "$work/debs" "$work/lists" "$work/cache" "$work/status" "$work/sources.list" "$work/apt.conf"
    mv "$work" "$target/$version"
    good "$target/$version/php" "$version" ||
        fail "the PHP $version of $suites does not run, or lacks one of $needs: $("$target/$version/php" -m 2>&1 | tr '\n' ' ')"
}

[ $# -gt 0 ] || set -- 8.2 8.4 8.5
# Two of these at once would overwrite each other's files.
exec 9>"$target/.lock"
flock 9
for version in "$@"; do
    if ! good "$target/$version/php" "$version"; then
        own=
        for php in php "php$version"; do
            path=$(command -v "$php") && good "$path" "$version" && own=$path && break
        done
        if [ -n "$own" ]; then
            rm -rf "${target:?}/$version"
            mkdir "$target/$version"
            ln -s "$own" "$target/$version/php"
        else
            fetch "$version" </dev/null
        fi
    fi
    echo "PHP $("$target/$version/php" -r 'echo PHP_VERSION;'): $target/$version/php"
done
