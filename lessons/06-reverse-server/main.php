<?php
// Lesson 06 · the reverse server.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';
require __DIR__ . '/../text.php';

// In bytes.
const LONGEST = 1024;

// make php-06 ARGS="ADDRESS PORT", or a port alone
[$address, $port] = address_and_port(1234);

// A call that fails prints its warning and gives false. Then die(1) ends the program with status 1, as `?` does in main.rs.
$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP) or die(1);
// Without this the port would stay taken for a minute after the server has ended (lesson 14).
socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1) or die(1);
socket_bind($listener, $address, $port) or die(1);
socket_listen($listener, SOMAXCONN) or die(1);
socket_getsockname($listener, $here, $port) or die(1);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-06 ARGS=\"$here $port\"\n";

// One client after another: who comes meanwhile waits in the queue.
$number = 0;
while (true) {
    $client = @socket_accept($listener);
    if (!$client) {
        // A client that gave up while it waited, or a signal: no reason to end the server.
        if (in_array(socket_last_error(), [SOCKET_ECONNABORTED, SOCKET_EINTR])) {
            continue;
        }
        fwrite(STDERR, error_get_last()['message'] . "\n");
        exit(1);
    }
    $number++;
    echo "client $number: has come\n";
    // A failure here ends this conversation, not the server. An `or die(1)` in serve would end both.
    if (serve($client, $number)) {
        echo "client $number: has gone\n";
    } else {
        echo "client $number: ", error_get_last()['message'], "\n";
    }
    socket_close($client);
}

/** Answers every line with its bytes in reverse, until the client has gone; false if something failed. */
function serve(Socket $client, int $number): bool
{
    $begun = '';
    while (true) {
        // No more than this: a line without end would fill the memory. A longer line comes in pieces.
        $piece = @socket_read($client, LONGEST - strlen($begun), PHP_NORMAL_READ);
        if ($piece === false) {
            // This mode has no '' for the end of the stream: it calls that a reset, and a reset too.
            return socket_last_error($client) === SOCKET_ECONNRESET;
        }
        $line = $begun . $piece;
        // The limit may cut a character in two: its beginning belongs to the next piece.
        $whole = strlen($line) >= LONGEST ? whole($line) : strlen($line);
        $begun = substr($line, $whole);
        $line = substr($line, 0, $whole);
        // \r ends a line and so does \n. Of telnet's \r\n the \n comes as a line of its own, and gets no answer.
        $line = trim($line, " \t\n\f\r");
        if ($line === '') {
            continue;
        }
        // A control character could repaint this screen.
        echo "client $number: ", harmless($line), "\n";

        $answer = strrev($line);
        // Bytes in reverse may be no text any more. PHP does not mind (see "Break it").
        $answer .= "\n";
        // One write may take less than all of it.
        while ($answer !== '') {
            $sent = @socket_write($client, $answer);
            if ($sent === false) {
                return false;
            }
            $answer = substr($answer, $sent);
        }
    }
}
