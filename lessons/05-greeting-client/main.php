<?php
// Lesson 05 · the greeting client.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';
require __DIR__ . '/../text.php';

// In bytes. Without a bound, a line without end would fill the memory.
const LONGEST = 8192;

// A warning ends the program, as `?` does in main.rs; of one that @ has hushed error_get_last() tells.
set_error_handler(function (int $level, string $message) {
    if (error_reporting() & $level) {
        fwrite(STDERR, "Error: $message\n");
        exit(1);
    }
    return false;
}, E_WARNING);

// make php-05 ARGS="ADDRESS PORT", or a port alone
[$address, $port] = address_and_port(1935);

$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
if (!@socket_connect($socket, $address, $port)) {
    if (socket_last_error($socket) === SOCKET_ECONNREFUSED) {
        $command = "make php-04 ARGS=\"$address $port\"";
        fwrite(STDERR, "No server listens there. Start it first, in another terminal: $command\n");
    }
    fwrite(STDERR, 'Error: ' . error_get_last()['message'] . "\n");
    exit(1);
}
echo "Connected to $address:$port\n";

foreach (['Hello, server!', 'I have a second line, too.'] as $line) {
    $rest = "$line\n";
    // One write may take less than all of it.
    while ($rest !== '') {
        $sent = socket_write($socket, $rest);
        $rest = substr($rest, $sent);
    }
    echo "sent:     $line\n";
}
// No more from us (lesson 22). A server that answers until we hang up would otherwise wait for us, and we for it.
// If it has gone already, the read below says so.
@socket_shutdown($socket, 1);

// Break it: uncomment the next line, PHP's shortest loop, which stops at "0".
// while (socket_read($socket, 1024)) {}
$received = '';
while (true) {
    $data = socket_read($socket, 1024);
    $received .= $data;
    // A read may end in the middle of a line, or of a character: show whole lines, and keep the rest for later.
    while (($end = strpos($received, "\n")) !== false) {
        show(substr($received, 0, $end));
        $received = substr($received, $end + 1);
    }
    // A limit may cut a character in two: its beginning is kept, too.
    if (strlen($received) >= LONGEST) {
        $whole = whole($received);
        show(substr($received, 0, $whole));
        $received = substr($received, $whole);
    }
    // Nothing read is the end of the stream; the last line may lack its end.
    if ($data === '' && $received !== '') {
        show($received);
    }
    if ($data === '' || connection_aborted()) {
        break;
    }
}
echo "The server has said all, and closed.\n";
socket_close($socket);
exit(0); // also if the reader has left (screen.php)

/** Prints a line of the server's. Control characters could repaint the screen. */
function show(string $line): void
{
    echo 'received: ', harmless(str_ends_with($line, "\r") ? substr($line, 0, -1) : $line), "\n";
}
