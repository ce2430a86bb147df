<?php
// Lesson 08 · the port scanner.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';

// A warning ends the program, as `?` does in main.rs; `@` keeps it quiet.
set_error_handler(function (int $level, string $message) {
    if (error_reporting() & $level) {
        fwrite(STDERR, "Error: $message\n");
        exit(1);
    }
});

// How many ports are tried at once: select knows descriptors 0 to 1023, and some are in use already.
const BATCH = 256;
// How long a batch may take, in nanoseconds. A port that has not answered by then is silent.
const TIMEOUT = 1_000_000_000;

// make php-08 ARGS="HOST FIRST LAST"
$host = $argv[1] ?? '127.0.0.1';
if (is_number($host)) {
    fwrite(STDERR, "HOST comes first: make php-08 ARGS=\"127.0.0.1 $host $host\"\n");
    exit(1);
}
// Text that is no number counts as 0, and 0 is no port.
$number = fn (string $text) => preg_match('/^\+?\d+\z/', $text) && $text <= 65535 ? (int) $text : 0;
[$first, $last] = [$number($argv[2] ?? '1'), $number($argv[3] ?? '1024')];
if ($first === 0 || $first > $last) {
    fwrite(STDERR, "FIRST and LAST have to be ports from 1 to 65535, and FIRST not above LAST.\n");
    exit(1);
}

// One look-up for all: socket_connect would look a name up again for every port. An unknown name
// comes back as it is, and socket_connect says what is wrong with it.
$address = gethostbyname($host);
echo "Scanning $address, ports $first to $last\n";
// In a terminal the progress is one line that changes: \r takes the cursor back to its beginning.
$terminal = stream_isatty(STDOUT);
[$before, $after] = $terminal ? ["\r", ''] : ['', "\n"];
$begin = hrtime(true);
$ports = range($first, $last);
[$open, $closed, $silent] = [[], 0, 0];

foreach (array_chunk($ports, BATCH) as $batch) {
    if (connection_aborted()) {
        exit(0);
    }
    // Call all of them. A blocking connect would wait for each answer, at a silent port for two minutes.
    $waiting = [];
    foreach ($batch as $port) {
        $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_set_nonblock($socket);
        // "In progress" is what we hope for, and no warning. Another error is about the host, not about this port.
        socket_connect($socket, $address, $port);
        $waiting[$port] = $socket;
    }

    // Then take the answers in the order in which they come, until there are no more or the time is up.
    $deadline = hrtime(true) + TIMEOUT;
    while ($waiting !== []) {
        $left = intdiv(max(0, $deadline - hrtime(true)), 1000);
        // A connect that has ended, well or badly, makes its socket writable (lesson 13).
        [$read, $ready, $except] = [null, $waiting, null];
        if (socket_select($read, $ready, $except, 0, $left) === 0) {
            break;
        }
        // Break it: uncomment the next line. PHP throws an Error when it gets to socket_get_option.
        // array_map('socket_close', $waiting);
        $answered = array_keys($ready);
        foreach ($answered as $port) {
            $socket = $waiting[$port];
            unset($waiting[$port]);
            // How it ended: 0, or the code that a blocking connect would have failed with (lesson 14).
            $code = socket_get_option($socket, SOL_SOCKET, SO_ERROR);
            if ($code === 0) {
                // The kernel chose a port for our own end. If it is this one, we have called ourselves: both ends have
                // one name. It may not be the name that we have called: 0.0.0.0 is 127.0.0.1 then.
                // A peer that has hung up since has no name, and is not ourselves.
                socket_getsockname($socket, $own_address, $own_port);
                $peer = @socket_getpeername($socket, $peer_address, $peer_port);
                if ($peer && [$own_address, $own_port] === [$peer_address, $peer_port]) {
                    $closed++;
                } else {
                    $open[] = $port;
                }
            } elseif ($code === SOCKET_ECONNRESET || $code === SOCKET_EPIPE) {
                // The port has answered, and hung up at once.
                $open[] = $port;
            } elseif ($code === SOCKET_ECONNREFUSED) {
                $closed++;
            } else {
                // A router or a firewall has answered. The port has not.
                $silent++;
            }
            socket_close($socket);
        }
    }
    // The rest has not answered.
    $silent += count($waiting);
    array_map('socket_close', $waiting);
    $tried = count($open) + $closed + $silent;
    printf('%s%5d of %d ports tried, %d open%s', $before, $tried, count($ports), count($open), $after);
}
if ($terminal) {
    echo "\n";
}

sort($open);
$names = [];
foreach ($open as $port) {
    // The name of the port in /etc/services. Another program may really listen there.
    $service = getservbyport($port, 'tcp');
    $names[] = $service === false ? "$port" : "$port ($service)";
}
echo 'Open: ', $names === [] ? 'none' : implode(', ', $names), "\n";
$time = intdiv(hrtime(true) - $begin, 1_000_000);
printf("%d ports in %d ms: %d open, %d closed, %d silent\n", count($ports), $time, count($open), $closed, $silent);
exit(0); // also if the reader has left (screen.php)
