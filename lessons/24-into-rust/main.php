<?php
// Lesson 24 · into Rust; here: into PHP's streams.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../text.php';

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_bind($listener, '127.0.0.1', 0);
socket_listen($listener, 1);
socket_getsockname($listener, $address, $port);
$client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_connect($client, $address, $port);
$server = socket_accept($listener);
socket_write($client, "one\ntwo\nthree, and no end");
socket_shutdown($client, 1);

echo "1. Out: a socket becomes a stream of the language.\n";
// Before it goes out: stream_set_timeout would be a number that PHP keeps for itself.
socket_set_option($server, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 10, 'usec' => 0]);
$stream = socket_export_stream($server);
// It reads as much as it gets and hands out lines: no recv for each.
while (($line = fgets($stream)) !== false) {
    echo "   server: '", harmless(rtrim($line)), "'\n";
}
echo "   server: the end\n";

echo "2. Back: the stream becomes a socket again.\n";
$server = socket_import_stream($stream);
echo '   server: SO_RCVTIMEO is still ', socket_get_option($server, SOL_SOCKET, SO_RCVTIMEO)['sec'], " s\n";
socket_write($server, 'three lines, thank you');
// In PHP the stream and the socket are one: this closes both.
socket_close($server);
$answer = socket_read($client, 1024);
echo "   client: '", harmless($answer), "'\n";

echo "3. A stream that was never a socket of ours, and its options.\n";
$stream = stream_socket_client("tcp://127.0.0.1:$port");
fwrite($stream, 'hello');
$other = socket_import_stream($stream);
socket_set_option($other, SOL_TCP, TCP_NODELAY, 1);
echo '   client: TCP_NODELAY is ', socket_get_option($other, SOL_TCP, TCP_NODELAY), "\n";
$server = socket_accept($listener);
echo "   server: '", harmless(socket_read($server, 1024)), "'\n";
exit(0); // also if the reader has left (screen.php)
