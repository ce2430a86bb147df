#!/bin/sh
# Compares the crate with each PHP that Debian's archives have, or with the versions named as arguments, records the
# answers of 8.5 anew, and prints a table. The output of a suite goes to target/oracle/.
set -eu

cargo=${CARGO:-cargo}
target=${PHP_TARGET:-target/php}
logs=target/oracle
mkdir -p "$logs"
# 8.5 is the first, since the others are compared with its record too.
[ $# -gt 0 ] || set -- 8.5 8.4 8.2

# Runs the suite $1 with PHP $version; its log is $log.
suite() {
    log=$logs/$version-$1.log
    echo "PHP $name: $1"
    timeout --kill-after=10 900 "$cargo" test --no-fail-fast --features lessons --test "$1" >"$log" 2>&1 || status=1
}

# How many tests passed and failed. A suite that does not come to its end has no result.
result() {
    row=$(sed -nE 's,^test result: .* ([0-9]+) passed; ([0-9]+) failed.*,\1/\2,p' "$log")
    echo "${row:-none}"
}

sh tests/oracle/fetch.sh "$@"
"$cargo" test --quiet --features lessons --no-run --test oracle --test functions --test lessons
format='%-9s  %6s  %6s  %6s  %10s  %9s  %9s  %9s'
# shellcheck disable=SC2059 # the format is above
table=$(printf "$format" PHP steps equal listed unexpected oracle functions lessons)
status=0
for version in "$@"; do
    export PHP="$target/$version/php"
    sh tests/tools.sh
    name=$("$PHP" -r 'echo PHP_VERSION;')
    failed=$status
    status=0
    if [ "$version" = 8.5 ]; then
        export RECORD="$logs/recorded.json"
        cp tests/oracle/recorded.json "$RECORD"
    fi
    suite oracle
    # A suite that has not come to its end has not recorded all of it.
    [ -z "${RECORD-}" ] || [ "$status" != 0 ] || cp "$RECORD" tests/oracle/recorded.json
    unset RECORD
    [ "$failed" = 0 ] || status=$failed
    steps=$(sed -nE 's/^oracle: PHP [0-9]+: ([0-9]+) steps: ([0-9]+) equal, ([0-9]+) listed, ([0-9]+) unexpected.*/\1 \2 \3 \4/p' "$log")
    grep -E '^oracle: [0-9]+ scripts' "$log" || true
    oracle=$(result)
    suite functions
    functions=$(result)
    suite lessons
    lessons=$(result)
    # shellcheck disable=SC2059,SC2086 # the format is above; four numbers
    table=$(printf "%s\n$format" "$table" "$name" ${steps:-none none none none} "$oracle" "$functions" "$lessons")
done
printf '\n%s\n\nThe last three columns are tests: passed/failed.\n' "$table"
[ "$status" = 0 ] || echo "What failed stands in $logs/."
echo "No archive has PHP 8.3: 8.3 is claimed from recorded facts."
exit "$status"
