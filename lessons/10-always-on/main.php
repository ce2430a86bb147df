<?php
// Lesson 10 · always on.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

// make php-10 ARGS="ADDRESS PORT", or a port alone
[$address, $port] = address_and_port(5001);

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
// Without this the port would stay taken for a minute after the server has ended (lesson 14).
socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1);
socket_bind($listener, $address, $port);
socket_listen($listener, SOMAXCONN);
socket_getsockname($listener, $here, $port);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-10 ARGS=\"$here $port\"\n";

// From here on a warning is thrown: few of them are to end the server.
set_error_handler(fn (int $level, string $message) => throw new ErrorException($message, socket_last_error()), E_WARNING);

// For ever: one client, from its first byte to its last, and then the next.
$number = 0;
while (true) {
    try {
        $client = socket_accept($listener);
    } catch (ErrorException $error) {
        // A client gave up while it waited, or a signal came: no reason to end.
        if (in_array($error->getCode(), [SOCKET_ECONNABORTED, SOCKET_EINTR], true)) {
            continue;
        }
        fwrite(STDERR, "Error: {$error->getMessage()}\n");
        exit(1);
    }
    $number++;
    echo "client $number: has come\n";
    try {
        $answers = serve($client);
        echo "client $number: has gone, answers: $answers\n";
    } catch (ErrorException $error) {
        // A client that vanishes ends its own conversation, not the server.
        echo "client $number: {$error->getMessage()}\n";
    }
    socket_close($client);
}

/** Answers whatever arrives, until the end of the stream. Gives the number of answers. */
function serve(Socket $client): int
{
    $answers = 0;
    while (true) {
        // All that has arrived by now: half a line, or three.
        $data = socket_read($client, 1024);
        if ($data === '') {
            // Break it: uncomment the next line. The server ends when its first client has gone.
            // socket_close($client);
            return $answers;
        }
        // One write may take less than all of it; without the loop the rest would be lost.
        $answer = "OK ... $data";
        while ($answer !== '') {
            $sent = socket_write($client, $answer);
            $answer = substr($answer, $sent);
        }
        $answers++;
    }
}
