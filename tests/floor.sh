#!/bin/sh
# Builds the library with the lowest versions that its Cargo.toml allows: as a dependency of a package that asks for just
# these. They are downloaded once. Of the crates that only the tests use, Cargo.lock has the lowest (tests/layout.rs).
set -eu

cargo=${CARGO:-cargo}
folder=target/floor
mkdir -p "$folder/src"
: >"$folder/src/lib.rs"
{
    printf '[package]\nname = "floor"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n'
    printf 'php-sockets = { path = "../.." }\n'
    sed -n '/^\[dependencies\]$/,/^$/s/^\(.*\) = "\(.*\)"$/\1 = "=\2"/p' Cargo.toml
} >"$folder/Cargo.toml"
RUSTFLAGS="-D warnings" "$cargo" build --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target"
