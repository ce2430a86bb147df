<?php
// Lesson 11 · the backlog.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

// Three listeners, and at each of them more clients than its queue holds.
[$zero, $at_zero] = listener_with_clients(0, 3);
[$one, $at_one] = listener_with_clients(1, 4);
[$ten, $at_ten] = listener_with_clients(10, 13);

// Their kernel has called once for each, and will call again after a second. Look before that.
wait([$at_zero, $at_one, $at_ten], 500);
// Break it: uncomment the next line. select removes who is not ready, and these are our clients. PHP says nothing.
// $none = null; socket_select($none, $at_ten, $none, 0);
echo "1. The clients have called, and nobody accepts. After 500 ms:\n";
table([0 => $at_zero, 1 => $at_one, 10 => $at_ten]);

// Two clients leave the queue of ten, so two places are free. The queue of one loses its listener.
$begin = hrtime(true);
$first = socket_accept($ten);
$second = socket_accept($ten);
socket_close($one);

// The clients that still try are not told: they find out when they call again.
wait([$at_one, $at_ten], 5000);
echo "\n2. The server with backlog 10 has accepted two clients; the one with backlog 1\n";
printf("   has closed its listener. After %d ms more:\n", intdiv(hrtime(true) - $begin, 1_000_000));
table([0 => $at_zero, 1 => $at_one, 10 => $at_ten]);
foreach ([$first, $second, $ten, $zero] as $socket) {
    socket_close($socket);
}

echo "\n3. Who else has a say\n";
printf("   %5d  the constant SOMAXCONN: a queue as long as Linux usually allows\n", SOMAXCONN);
$settings = [
    '/proc/sys/net/core/somaxconn' => 'the longest queue that the kernel allows',
    '/proc/sys/net/ipv4/tcp_syn_retries' => 'how often a client calls again',
    '/proc/sys/net/ipv4/tcp_abort_on_overflow' => 'whether a full queue resets',
];
foreach ($settings as $file => $meaning) {
    $value = is_readable($file) ? file_get_contents($file) : '';
    printf("   %5s  $file: $meaning\n", trim($value));
}
exit(0); // also if the reader has left (screen.php)

/** A listener with this backlog, and this many clients that have begun to connect to it. */
function listener_with_clients(int $backlog, int $count): array
{
    $listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_bind($listener, '127.0.0.1', 0);
    socket_listen($listener, $backlog);
    socket_getsockname($listener, $address, $port);
    $clients = [];
    for ($i = 0; $i < $count; $i++) {
        $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        // A blocking connect would not come back from a full queue: for two minutes, and with an error.
        socket_set_nonblock($client);
        // "In progress" is no warning.
        socket_connect($client, $address, $port);
        $clients[] = $client;
    }
    return [$listener, $clients];
}

/** Waits until every connect has ended, well or badly, or until the time in milliseconds is up. */
function wait(array $groups, int $time): void
{
    $deadline = hrtime(true) + $time * 1_000_000;
    $trying = array_merge(...$groups);
    while ($trying !== []) {
        $left = intdiv(max(0, $deadline - hrtime(true)), 1000);
        [$read, $ready, $except] = [null, $trying, null];
        // Writable: its connect has ended (lesson 13).
        if (socket_select($read, $ready, $except, 0, $left) === 0) {
            break;
        }
        $trying = array_diff_key($trying, $ready);
    }
}

/** The outcome for the clients of each backlog. */
function table(array $queues): void
{
    echo "   backlog   clients   connected   refused   reset   still trying\n";
    foreach ($queues as $backlog => $clients) {
        [$read, $ended, $except] = [null, $clients, null];
        socket_select($read, $ended, $except, 0, 0);
        $trying = count($clients) - count($ended);
        [$connected, $refused, $reset] = [0, 0, 0];
        foreach ($ended as $client) {
            // 0, or the error that the next call on the socket would report; asking takes it away (lesson 14).
            match (socket_get_option($client, SOL_SOCKET, SO_ERROR)) {
                0 => $connected++,
                SOCKET_ECONNREFUSED => $refused++,
                default => $reset++,
            };
        }
        printf("   %7d%10d%12d%10d%8d%15d\n", $backlog, count($clients), $connected, $refused, $reset, $trying);
    }
}
