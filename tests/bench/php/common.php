<?php
// The parts that every program shares, outside of what is measured.

const SIZE = 64;
const CAPACITY = 1024;

if (function_exists('pcntl_alarm')) {
    pcntl_alarm(120);
}

/** A listener on a free port of 127.0.0.1, which it prints. */
function listen_here(): Socket
{
    $listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_bind($listener, '127.0.0.1', 0) && socket_listen($listener, SOMAXCONN) || exit(1);
    socket_getsockname($listener, $address, $port);
    echo "$port\n";
    return $listener;
}
