#!/bin/sh
# Runs the tests under valgrind. Where there is a nightly toolchain, it runs them under AddressSanitizer and ThreadSanitizer
# too, and the fuzz targets with their corpora. The standard library comes compiled, without the instructions of the
# sanitizers: they see what its generic code, its calls of malloc, of memcpy and of pthread_create do, not what its own
# functions read and write, nor how its locks hand memory over.
set -eu

cargo=${CARGO:-cargo}
limit=${LIMIT:-600}
target=$(rustc -vV | sed -n 's/^host: //p')
folder=target/sanitize
suites="--lib --test functions --test event"
mkdir -p "$folder"
export RUST_BACKTRACE=0
# A failed allocation is an error of the call, as it is without the sanitizers.
export ASAN_OPTIONS=allocator_may_return_null=1
# ThreadSanitizer takes std's channels, glibc's resolver and equal numbers in tables of descriptors that are not shared for
# races, since it does not see what orders them: a report counts if this crate's own code touched the memory.
export TSAN_OPTIONS="allocator_may_return_null=1 exitcode=0"
status=0

# Under valgrind not: programs of random steps, which take minutes, what must happen within a time, and two threads that spin for
# signals, beside which the one thread that valgrind lets run at a time leaves the others too little.
slow="--skip random --skip any_bytes --skip lying_headers --skip whatever_address --skip whatever_was
    --skip inet_pton --skip inet_aton --skip a_path_goes --skip a_path_without --skip every_kind_of --skip lines_are
    --skip the_ready_stay --skip a_time_out_comes_if --skip a_signal_that_goes_from_base_to_base"
# Nowhere: a mapping of half the address space, of which these tools have the other half, a kernel that maps nothing more,
# not even for them, and the test that counts on the two; ten thousand connections; how much processor time is used; what
# runs itself under strace or valgrind, counts system calls or builds programs; a thread that spins until a signal has been
# heard, whose handler these tools put off; a signal in a child process, which ThreadSanitizer never delivers; two threads that
# set one signal's action, which ThreadSanitizer reads and writes in a table of its own, one step after the other.
never="--skip iovec_set_of_too_much --skip iovec_fetch_of_too_much --skip a_message_leaves_nothing_open --skip every_site_is_provoked
    --skip ten_thousand --skip without_spinning --skip neither_spin --skip tools:: --skip no_padding --skip system_call --skip syscalls --skip programs::
    --skip injected --skip compiler_finds --skip slips:: --skip signals_arrive_while --skip no_signal_is_lost --skip a_signals_number
    --skip other_code_that_takes --skip watchdog::"

say() {
    printf '\n== %s\n' "$*"
}

fail() {
    echo "$*" >&2
    status=1
}

# The programs of a build: `built [+toolchain] arguments`.
built() {
    "$cargo" "$@" --no-run 2>&1 | tee "$folder/build.log" | sed -n 's/.*Executable .*(\(.*\))$/\1/p'
}

# The losses of a forked child process are the memory of the threads that it lacks; its other errors count.
memcheck() {
    logs=$folder/valgrind/${1##*/}
    rm -rf "$logs"
    mkdir -p "$logs"
    # shellcheck disable=SC2086 # lists of arguments
    timeout --kill-after=10 "$limit" sh -c 'echo $$ >"$0/first"; exec "$@"' "$logs" \
        valgrind --quiet --fair-sched=yes --num-callers=30 --leak-check=full --show-leak-kinds=definite,indirect \
        --suppressions=tests/lessons/valgrind.supp --suppressions=tests/sanitize.supp --log-file="$logs/%p" \
        "$1" --quiet --test-threads=4 $slow $never >"$logs/output" 2>&1 ||
        { tail -n 60 "$logs/output"; fail "valgrind: the tests of $1 fail"; }
    grep '^test result' "$logs/output" || true
    first=$(cat "$logs/first")
    if grep -El 'lost in loss record' "$logs/$first"; then
        grep -A 30 'lost in loss record' "$logs/$first" | head -n 100
        fail "valgrind: $1 loses memory"
    fi
    if grep -E 'uninitialised|Invalid|Mismatched|overlap|points to|Process terminating' "$logs"/[0-9]*; then
        fail "valgrind: $1 makes mistakes; see $logs"
    fi
}

# `sanitized name flags suites`
sanitized() {
    name=$1 flags=$2
    shift 2
    programs=$(RUSTFLAGS=$flags built +nightly test --target "$target" --target-dir "$folder/$name" "$@")
    [ -n "$programs" ] || { tail -n 20 "$folder/build.log"; fail "$name: the tests do not compile"; return; }
    for program in $programs; do
        say "$name: ${program##*/}"
        # shellcheck disable=SC2086 # a list of arguments
        timeout --kill-after=10 "$limit" "$program" --quiet --test-threads=4 $never >"$folder/output" 2>&1 ||
            fail "$name: $program fails"
        grep -E '^test result|FAILED|panicked|ERROR: ' "$folder/output" || true
        # The lines of a report up to its summary; frame 0 is where the memory was touched.
        if awk '/^WARNING: ThreadSanitizer/ { report = ""; inside = 1 }
                inside { report = report $0 "\n" }
                inside && /#0 .*php_sockets::/ { ours = 1 }
                /^SUMMARY: ThreadSanitizer/ { if (ours) { printf "%s", report; found = 1 } inside = ours = 0 }
                END { exit !found }' "$folder/output"; then
            fail "$name: $program has a race"
        fi
    done
}

# The fuzz targets, each with the inputs of its corpus.
fuzzed() {
    RUSTFLAGS='--cfg fuzzing -Zsanitizer=address' "$cargo" +nightly build --quiet \
        --manifest-path tests/fuzz/Cargo.toml --target "$target" --target-dir "$folder/fuzz" ||
        { fail "fuzz: the targets do not compile"; return; }
    for corpus in tests/fuzz/corpus/*; do
        name=${corpus##*/}
        say "fuzz: $name"
        if timeout --kill-after=10 "$limit" "$folder/fuzz/$target/debug/$name" "$corpus"/* >"$folder/output" 2>&1; then
            echo "$(grep -c '^Executed ' "$folder/output") inputs"
        else
            tail -n 30 "$folder/output"
            fail "fuzz: $name fails with its corpus"
        fi
    done
}

# shellcheck disable=SC2086 # a list of arguments
programs=$(built test $suites)
for program in $programs; do
    say "valgrind: ${program##*/}"
    memcheck "$program"
done

if "$cargo" +nightly --version >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # a list of arguments
    sanitized address -Zsanitizer=address $suites --test oracle
    # shellcheck disable=SC2086 # a list of arguments
    sanitized thread '-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer' $suites
    fuzzed
else
    say "AddressSanitizer and ThreadSanitizer need a nightly toolchain: rustup toolchain install nightly"
fi
exit "$status"
