<?php
// Lesson 09 · who is calling.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

// make php-09 ARGS="ADDRESS PORT", or a port alone
[$address, $port] = address_and_port(5001);

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
// Without this the port would stay taken for a minute after the server has ended (lesson 14).
socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1);
socket_bind($listener, $address, $port);
socket_listen($listener, SOMAXCONN);
socket_getsockname($listener, $here, $port);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-09 ARGS=\"$here $port\"\n";

// From here on a warning is thrown: some of them are not to end the server.
set_error_handler(fn (int $level, string $message) => throw new ErrorException($message, socket_last_error()), E_WARNING);

// One client is told. One that vanished before (or a signal) does not count.
$vanished = [SOCKET_ECONNABORTED, SOCKET_EINTR, SOCKET_ENOTCONN, SOCKET_ECONNRESET, SOCKET_EPIPE];
while (true) {
    try {
        $caller = tell($listener);
        break;
    } catch (ErrorException $error) {
        if (!in_array($error->getCode(), $vanished, true)) {
            fwrite(STDERR, "Error: {$error->getMessage()}\n");
            exit(1);
        }
    }
}
echo "Called by $caller\n";
socket_close($listener);
exit(0); // also if the reader has left (screen.php)

/** Tells the next client the names of both ends of its connection, and gives the name of the client's end. */
function tell(Socket $listener): string
{
    $client = socket_accept($listener);
    // There is who calls. Here is what it has called, which a listener on 0.0.0.0 does not know.
    socket_getpeername($client, $address, $port);
    $there = "$address:$port";
    socket_getsockname($client, $address, $port);
    $here = "$address:$port";
    // One write may take less than all of it; without the loop the rest would be lost.
    $answer = "You are $there\nYou have called $here\n";
    while ($answer !== '') {
        $sent = socket_write($client, $answer);
        $answer = substr($answer, $sent);
    }
    socket_close($client);
    return $there;
}
