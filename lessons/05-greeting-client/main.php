<?php
// Lesson 05 · the greeting client.

// In bytes. Without a bound, a line without end would fill the memory.
const LONGEST = 8192;

// A warning ends the program, as `?` does in main.rs; one that @ has hushed does not.
set_error_handler(function (int $level, string $message) {
    if (error_reporting() & $level) {
        fwrite(STDERR, "Error: $message\n");
        exit(1);
    }
});

// make php-05 ARGS="ADDRESS PORT"
$address = $argv[1] ?? '127.0.0.1';
$port = $argv[2] ?? 1935;
if (!preg_match('/^\+?\d+\z/', $port) || $port > 65535) {
    fwrite(STDERR, "The port has to be a number from 0 to 65535.\n");
    exit(1);
}
$port = (int) $port;

$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_connect($socket, $address, $port);
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
    // Nothing read is the end of the stream; the last line may lack its end.
    if (strlen($received) >= LONGEST || ($data === '' && $received !== '')) {
        show($received);
        $received = '';
    }
    if ($data === '') {
        break;
    }
}
echo "The server has said all, and closed.\n";
socket_close($socket);

/** Prints a line of the server's. Control characters could repaint the screen. */
function show(string $line): void
{
    echo 'received: ' . preg_replace('/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]/', '?', rtrim($line, "\r")) . "\n";
}
