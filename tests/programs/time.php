<?php
// A time server over TCP with a deadline for each client: who does not ask in time is let go.
// The argument is the time that a client has, in milliseconds.
$patience = (int) ($argv[1] ?? 5000) * 1_000_000;

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_bind($listener, '127.0.0.1', 0);
socket_listen($listener, SOMAXCONN);
socket_getsockname($listener, $address, $port);
echo "Listening on $address:$port\n";

$clients = $said = $deadlines = [];
$count = 0;
while (true) {
    // Sleep until a client says something, or until the next deadline. The listener is number 0.
    $read = [0 => $listener] + $clients;
    $write = $except = null;
    $wait = $deadlines ? max(0, min($deadlines) - hrtime(true)) : null;
    $seconds = $wait === null ? null : intdiv($wait, 1_000_000_000);
    $microseconds = $wait === null ? 0 : intdiv($wait % 1_000_000_000, 1000);
    socket_select($read, $write, $except, $seconds, $microseconds);

    foreach (array_keys($read) as $number) {
        if ($number === 0) {
            $count++;
            // No variable but the array holds the socket, so that unset closes it.
            $clients[$count] = socket_accept($listener);
            socket_set_nonblock($clients[$count]);
            echo "client $count: is here\n";
            [$said[$count], $deadlines[$count]] = ['', hrtime(true) + $patience];
            continue;
        }
        $data = (string) @socket_read($clients[$number], 100);
        $said[$number] .= $data;
        if ($data === '') {
            echo "client $number: left\n";
        } elseif ($said[$number] === "time\n") {
            socket_write($clients[$number], time() . "\n");
            echo "client $number: knows the time\n";
        } elseif ($said[$number] === "quit\n") {
            echo "client $number: ends the server\n";
            exit;
        } elseif (str_contains($said[$number], "\n") || strlen($said[$number]) > 100) {
            socket_write($clients[$number], "ask: time\n");
            echo "client $number: does not know how to ask\n";
        } else {
            continue; // the rest of the line is on its way
        }
        unset($clients[$number], $said[$number], $deadlines[$number]);
    }

    foreach ($deadlines as $number => $deadline) {
        if ($deadline <= hrtime(true)) {
            socket_write($clients[$number], "too late\n");
            echo "client $number: is too late\n";
            unset($clients[$number], $said[$number], $deadlines[$number]);
        }
    }
}
