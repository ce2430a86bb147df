#!/bin/sh
# Compares the crate with each PHP that Debian's archives have, or with the versions named as arguments, and prints a
# table. What a suite says goes to target/oracle/.
set -eu

cargo=${CARGO:-cargo}
target=${PHP_TARGET:-target/php}
logs=target/oracle
mkdir -p "$logs"
[ $# -gt 0 ] || set -- 8.2 8.4 8.5

sh tests/oracle/fetch.sh "$@"
"$cargo" test --quiet --no-run --test oracle --test functions --test lessons
table=$(printf '%-9s  %-9s  %6s  %6s  %6s' PHP suite passed failed steps)
status=0
for version in "$@"; do
    export PHP="$target/$version/php"
    sh tests/tools.sh
    name=$("$PHP" -r 'echo PHP_VERSION;')
    for suite in oracle functions lessons; do
        log=$logs/$version-$suite.log
        echo "PHP $name: $suite"
        timeout --kill-after=10 900 "$cargo" test --no-fail-fast --test "$suite" -- --show-output >"$log" 2>&1 ||
            status=1
        # A suite that does not come to its end has no result.
        row=$(sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed.*/\1 \2/p' "$log")
        steps=$(awk '/^compared [0-9]+ steps$/ { sum += $2 } END { print sum + 0 }' "$log")
        # shellcheck disable=SC2086 # two numbers
        table=$(printf '%s\n%-9s  %-9s  %6s  %6s  %6s' "$table" "$name" "$suite" ${row:-none none} "$steps")
    done
done
printf '\n%s\n' "$table"
[ "$status" = 0 ] || echo "What failed stands in $logs/."
exit "$status"
