#!/bin/sh
# Runs the checks: `all` of them, or the `quick` ones.
set -eu

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

for component in fmt clippy; do
    cargo "$component" --version >/dev/null 2>&1 || {
        echo "cargo $component is missing. Type: rustup component add rustfmt clippy" >&2
        exit 1
    }
done

step cargo fmt --check
step cargo clippy --quiet --all-targets -- -D warnings
if [ "${1-}" = quick ]; then
    step cargo test --quiet --lib --test functions --test layout
    exit 0
fi
export RUSTDOCFLAGS="-D warnings"
step cargo doc --quiet --no-deps
step cargo test --examples --quiet
step cargo test --quiet
