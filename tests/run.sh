#!/bin/sh
# Runs the checks: `all` of them, or the `quick` ones. A suite that hangs is ended.
set -eu

cargo=${CARGO:-cargo}
limit="timeout --kill-after=10 900"

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

# Another release lints and formats in another way: this one and newer ones count.
newest=95
release=$("$cargo" --version | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
if [ "${release:-$newest}" -ge "$newest" ]; then
    for component in fmt clippy; do
        "$cargo" "$component" --version >/dev/null 2>&1 || {
            remedy="sudo apt-get install rustfmt rust-clippy"
            ! command -v rustup >/dev/null 2>&1 || remedy="rustup component add rustfmt clippy"
            echo "cargo $component is missing. Type: $remedy" >&2
            exit 1
        }
    done
fi

if [ "${1-}" = quick ]; then
    step $limit "$cargo" test --quiet --features lessons --lib --test functions --test layout
else
    # Built before the clock of the tests starts.
    step "$cargo" test --quiet --features lessons --no-run
    step env RUSTFLAGS=-Clink-arg=-fuse-ld=bfd "$cargo" build --quiet --features lessons --bins --target-dir target/trace
    step "$cargo" build --quiet --release --manifest-path tests/counts/Cargo.toml --target-dir target/counts
    step $limit "$cargo" test --quiet --features lessons
    CARGO="$cargo" step sh tests/floor.sh
    RUSTDOCFLAGS="-D warnings" step "$cargo" doc --quiet --no-deps
fi
if [ "${release:-$newest}" -lt "$newest" ]; then
    printf '\nFormat and lints are not checked: they count from Rust 1.%s on, and this is 1.%s.\n' "$newest" "$release"
    exit 0
fi
step "$cargo" fmt --check
step "$cargo" fmt --check --manifest-path tests/counts/Cargo.toml
step "$cargo" fmt --check --manifest-path tests/fuzz/Cargo.toml
step "$cargo" clippy --quiet --features lessons --all-targets -- -D warnings
