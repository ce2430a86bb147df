<?php
// W3: the select server. Played as `line` (W3-line) it reads with PHP_NORMAL_READ.
require __DIR__ . '/common.php';

/** Whether the client stays. */
function answer(Socket $client): bool
{
    $count = socket_recv($client, $buffer, CAPACITY, 0);
    return $count > 0 && socket_send($client, $buffer, $count, 0) === $count;
}

/** Whether the client stays. At the end of the stream PHP warns, after 200 empty reads. */
function answer_line(Socket $client): bool
{
    $line = @socket_read($client, CAPACITY, PHP_NORMAL_READ);
    return $line !== false && $line !== '' && socket_send($client, $line, strlen($line), 0) === strlen($line);
}

function play(bool $lines): void
{
    $listener = listen_here();
    // One array has them all: `$read = $sockets` copies nothing, and `socket_select` makes a new array of what is ready.
    $sockets = [$listener];
    while (true) {
        $read = $sockets;
        $write = $except = null;
        socket_select($read, $write, $except, null) !== false || exit(1);
        foreach ($read as $key => $socket) {
            if ($socket === $listener) {
                $sockets[] = socket_accept($listener);
                continue;
            }
            if ($lines ? answer_line($socket) : answer($socket)) {
                continue;
            }
            socket_close($socket);
            unset($sockets[$key]);
            if (count($sockets) === 1) {
                return;
            }
        }
    }
}

play($argv[1] === 'line');
