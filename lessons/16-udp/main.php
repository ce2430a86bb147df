<?php
// Lesson 16 · UDP.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../text.php';

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

echo "1. No connection: every datagram carries its own address.\n";
$server = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
socket_bind($server, '127.0.0.1', 0);
socket_getsockname($server, $here, $port);
echo "   server: bound to $here:$port; it does not listen, and accepts nobody\n";
$alice = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
$sent = socket_sendto($alice, 'hello', 5, 0, $here, $port);
echo "   alice:  sends $sent bytes to $here:$port\n";
socket_recvfrom($server, $data, 1024, 0, $from, $fromPort);
echo "   server: received '", harmless($data), "' from $from:$fromPort\n";
// An echo: the answer goes where the question came from.
socket_sendto($server, $data, strlen($data), 0, $from, $fromPort);
socket_recvfrom($alice, $data, 1024, 0, $from, $fromPort);
echo "   alice:  received '", harmless($data), "' from $from:$fromPort\n";

echo "2. Boundaries are kept: what was sent with one call arrives with one call.\n";
foreach (['one', 'two', ''] as $word) {
    $sent = socket_sendto($alice, $word, strlen($word), 0, $here, $port);
    echo "   alice:  sends $sent bytes\n";
}
for ($i = 0; $i < 3; $i++) {
    $length = socket_recvfrom($server, $data, 1024, 0, $from, $fromPort);
    echo "   server: received $length bytes: '", harmless($data), "'\n";
}

echo "3. What does not fit into the buffer is lost.\n";
socket_sendto($alice, 'cut me off', 10, 0, $here, $port);
$length = socket_recvfrom($server, $data, 3, 0, $from, $fromPort);
echo "   server: asked for 3 bytes, received $length: '", harmless($data), "'\n";
// Without MSG_DONTWAIT this would wait for ever.
$length = @socket_recvfrom($server, $data, 1024, MSG_DONTWAIT, $from, $fromPort);
echo $length === false
    ? '   server: the rest? ' . socket_strerror(socket_last_error($server)) . "\n"
    : "   server: $length bytes more\n";
$sent = @socket_sendto($alice, str_repeat('x', 65508), 65508, 0, $here, $port);
echo '   alice:  ', $sent === false ? error_get_last()['message'] : "sends $sent bytes", "\n";

echo "4. connect sends nothing. It only says who the other end is.\n";
$bob = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
socket_connect($bob, '127.0.0.1', $port);
socket_getpeername($bob, $peer, $peerPort);
echo "   bob:    connected to $peer:$peerPort\n";
socket_send($bob, 'it is me', 8, 0);
socket_recvfrom($server, $data, 1024, 0, $from, $fromPort);
echo "   server: received '", harmless($data), "' from $from:$fromPort\n";
socket_sendto($alice, 'hi Bob', 6, 0, '127.0.0.1', $fromPort);
$length = @socket_recv($bob, $data, 1024, MSG_DONTWAIT);
echo $length === false
    ? '   bob:    from alice? ' . socket_strerror(socket_last_error($bob)) . "\n"
    : "   bob:    $length bytes\n";

echo "5. Nobody is there, and only the connected socket learns it.\n";
socket_close($server);
foreach (['alice' => $alice, 'bob' => $bob] as $name => $socket) {
    $sent = match ($name) {
        'bob' => socket_send($socket, 'hello?', 6, 0),
        default => socket_sendto($socket, 'hello?', 6, 0, '127.0.0.1', $port),
    };
    $length = @socket_recv($socket, $data, 1024, MSG_DONTWAIT);
    echo $length === false
        ? "   $name: sent $sent bytes; " . socket_strerror(socket_last_error($socket)) . "\n"
        : "   $name: sent $sent bytes, received $length\n";
}
socket_close($alice);
socket_close($bob);
exit(0); // also if the reader has left (screen.php)
