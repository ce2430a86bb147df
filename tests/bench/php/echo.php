<?php
// W1: the other end of a ping-pong.
require __DIR__ . '/common.php';

function play(): void
{
    $client = socket_accept(listen_here());
    while (($count = socket_recv($client, $buffer, CAPACITY, 0)) > 0) {
        if (socket_send($client, $buffer, $count, 0) !== $count) {
            exit(1);
        }
    }
}

play();
