# Reads the names of `nm -nC` and then `strace -k`: each system call and the stack that led to it. Prints the PHP function,
# then the call.
# A look-up of a name by the C library is one line, since it depends on the machine's configuration.

function flush() {
    if (call == "" || ignore || call ~ /= \? ERESTART/) return # a signal came, and the kernel makes the call again
    if (lookup != "") {
        if (who != seen_who || lookup != seen_lookup) end_lookup()
        seen_who = who; seen_lookup = lookup; calls++
        return
    }
    end_lookup()
    if (who ~ /^Event/ && call !~ /^(epoll|eventfd)/) return # what the callback prints
    if (who != "") show(sprintf("%-20s %s", who, call))
}

# Whether a line may end before the blank at this place: between two arguments or before the result. Anywhere: outside of a
# text.
function may_end(line, at, anywhere,    before) {
    before = substr(line, 1, at - 1)
    gsub(/\\./, "", before) # a quote inside of a text
    return substr(line, at, 1) == " " && before ~ /[^ ]/ && \
        (anywhere || before ~ /,$/ || substr(line, at + 1, 2) == "= ") && gsub(/"/, "", before) % 2 == 0
}

# Where a line ends that is to have 80 columns. A text is not broken: the line is longer then.
function end_of_line(line,    at, anywhere) {
    for (anywhere = 0; anywhere <= 1; anywhere++)
        for (at = 81; at > 26; at--) if (may_end(line, at, anywhere)) return at
    for (at = 82; at < length(line); at++) if (may_end(line, at, 1)) return at
    return 0
}

# Prints a call in lines of 80 columns, as many as a terminal has.
function show(line,    at) {
    while (length(line) > 80 && (at = end_of_line(line))) {
        print substr(line, 1, at - 1)
        line = sprintf("%25s%s", "", substr(line, at + 1))
    }
    print line
}

function end_lookup() {
    if (calls) show(sprintf("%-20s %s(...) [the C library: %d system calls]", seen_who, seen_lookup, calls))
    calls = 0
}

function number(hex,    i, value) {
    for (i = 1; i <= length(hex); i++) value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return value
}

# The last name that does not stand behind the address.
function name(address,    low, high, middle) {
    low = 1; high = names
    while (low < high) {
        middle = int((low + high + 1) / 2)
        if (addresses[middle] <= address) low = middle; else high = middle - 1
    }
    return found[low]
}

FNR == NR {
    if ($1 ~ /^[0-9a-f]+$/) {
        addresses[++names] = number($1)
        sub(/^[0-9a-f]+ +[^ ]+ /, "")
        found[names] = $0
    }
    next
}

# With libunwind 1.8 strace has no name of more than 39 letters.
/^ > .*\/lesson-[0-9]+\(\) \[0x/ {
    match($0, /\[0x[0-9a-f]+/)
    $0 = " > (" name(number(substr($0, RSTART + 3, RLENGTH - 3))) "+"
}

/^ > / {
    if (match($0, /(gethostby|getprotoby|getservby)[a-z0-9]+_r\+|get(addr|name)info\+|if_nametoindex\+/))
        lookup = substr($0, RSTART, RLENGTH - 1)
    if (/debug_assert_fd_is_open/) ignore = 1 # a check of Rust's debug builds, not of this crate
    if (who == "" && !/::host::/ && match($0, /::(socket_|get(host|proto|serv)by|gethostname)[a-z_]*\+/))
        who = substr($0, RSTART + 2, RLENGTH - 3)
    # A method may stand in another module than its type: `<impl ...::Event>::add`.
    if (who == "" && match($0, /::event(::[a-z]+)?::(EventBase|Event)>?::[a-z_]+\+/)) {
        who = substr($0, RSTART, RLENGTH - 1)
        sub(/.*::Event/, "Event", who)
        sub(/>/, "", who)
    }
    if (who == "" && /drop_in_place<php_sockets::socket::Socket>/) dropped = 1
    if (who == "" && dropped && /::main\+/) who = "(drop)"
    next
}

{
    flush()
    call = $0; who = ""; lookup = ""; ignore = 0; dropped = 0
    sub(/^[0-9]+ +/, "", call)
    if (call ~ /^(---|\+\+\+)/) call = ""
}

END { flush(); end_lookup() }
