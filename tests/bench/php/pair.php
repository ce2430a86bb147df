<?php
// W2: 64 bytes to and fro over a socket pair; `empty` is the loop alone.
require __DIR__ . '/common.php';

function play(int $count): void
{
    socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
    [$here, $there] = $pair;
    $data = str_repeat('x', SIZE);
    $received = 0;
    for ($i = 0; $i < $count; $i++) {
        if (socket_send($here, $data, SIZE, 0) === false) {
            exit(1);
        }
        $some = socket_recv($there, $buffer, SIZE, 0);
        if ($some === false) {
            exit(1);
        }
        $received += $some;
    }
    if ($received !== $count * SIZE) {
        exit(1);
    }
}

function play_nothing(int $count): void
{
    for ($i = 0; $i < $count; $i++) {
    }
}

$argv[1] === 'empty' ? play_nothing((int) $argv[2]) : play((int) $argv[2]);
