<?php
// Lesson 14 · options.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave

// A warning ends the program, as `?` does in main.rs. Where one is expected stands an @, and error_get_last() has it.
set_error_handler(function (int $level, string $message) {
    if (error_reporting() & $level) {
        fwrite(STDERR, "Error: $message\n");
        exit(1);
    }
    return false;
});
// PHP has this name since 8.3.
defined('TCP_QUICKACK') or define('TCP_QUICKACK', 12);

echo "Options are a socket's switches. Each part turns one and shows what it changes.\n";

echo "\n1. SO_REUSEADDR: a server starts again while its last connection is in TIME_WAIT\n";
foreach ([[0, 0], [0, 1], [1, 0], [1, 1]] as [$first, $second]) {
    echo "   first start $first, second start $second:\n";
    echo '      ', startTwice($first, $second), "\n";
}

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_bind($listener, '127.0.0.1', 0);
socket_listen($listener, 1);

echo "\n2. SO_RCVTIMEO: how long a read waits\n";
[$silent, $waiting] = connect($listener);
$timeout = socket_get_option($waiting, SOL_SOCKET, SO_RCVTIMEO);
echo "   new socket: {$timeout['sec']} s {$timeout['usec']} us, which is for ever\n";
socket_set_option($waiting, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 0, 'usec' => 200_000]);
// Break it: uncomment the next line, meant to be half a second. PHP makes 0 of it: for ever, without a word.
// socket_set_option($waiting, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 0.5, 'usec' => 0]);
$timeout = socket_get_option($waiting, SOL_SOCKET, SO_RCVTIMEO);
echo "   now:        {$timeout['sec']} s {$timeout['usec']} us\n";
echo '   a silent client, read: ', read($waiting), "\n";

echo "\n3. SO_LINGER: what the other end reads when this one closes\n";
foreach ([[0, 0], [1, 0]] as [$l_onoff, $l_linger]) {
    [$client, $connection] = connect($listener);
    socket_set_option($connection, SOL_SOCKET, SO_LINGER, ['l_onoff' => $l_onoff, 'l_linger' => $l_linger]);
    socket_close($connection);
    echo "   l_onoff $l_onoff, l_linger $l_linger:\n";
    $data = @socket_read($client, 1024);
    if ($data !== false) {
        echo '      ', strlen($data), " bytes, the end of the stream\n";
    } else {
        echo '      ', error_get_last()['message'], "\n";
    }
}

echo "\n4. TCP_NODELAY: two small writes, and when both have arrived\n";
foreach ([0, 1] as $nodelay) {
    [$client, $connection] = connect($listener);
    socket_set_option($client, SOL_TCP, TCP_NODELAY, $nodelay);
    // A busy receiver acknowledges late. A new one does so at once at first, which would hide the effect.
    socket_set_option($connection, SOL_TCP, TCP_QUICKACK, 0);
    $begin = hrtime(true);
    $sent = socket_write($client, 'one, ') + socket_write($client, 'two');
    $count = socket_recv($connection, $data, $sent, MSG_WAITALL);
    echo "   TCP_NODELAY $nodelay: $count bytes after ", milliseconds($begin), " ms\n";
}

echo "\n5. SO_KEEPALIVE: whether to ask a silent peer if it is still there\n";
$options = [
    ['SO_KEEPALIVE', SOL_SOCKET, SO_KEEPALIVE, 1, 'ask at all'],
    ['TCP_KEEPIDLE', SOL_TCP, TCP_KEEPIDLE, 60, 'seconds of silence before the first question'],
    ['TCP_KEEPINTVL', SOL_TCP, TCP_KEEPINTVL, 10, 'seconds from one question to the next'],
    ['TCP_KEEPCNT', SOL_TCP, TCP_KEEPCNT, 3, 'questions without an answer, then it is gone'],
];
foreach ($options as [$name, $level, $option, $value, $meaning]) {
    $before = socket_get_option($waiting, $level, $option);
    socket_set_option($waiting, $level, $option, $value);
    $after = socket_get_option($waiting, $level, $option);
    printf("   %-13s from %d to %d: %s\n", $name, $before, $after, $meaning);
}

echo "\n6. SO_RCVBUF and SO_SNDBUF: space for what has arrived, and for what is to leave\n";
foreach ([1, 20_000] as $size) {
    // The listener's options are those of its next connections too.
    socket_set_option($listener, SOL_SOCKET, SO_RCVBUF, $size);
    socket_set_option($listener, SOL_SOCKET, SO_SNDBUF, $size);
    $receive = socket_get_option($listener, SOL_SOCKET, SO_RCVBUF);
    $send = socket_get_option($listener, SOL_SOCKET, SO_SNDBUF);
    printf("   asked for %5d: to receive %d, to send %d\n", $size, $receive, $send);
}
[$client, $busy] = connect($listener);
$send = socket_get_option($busy, SOL_SOCKET, SO_SNDBUF);
echo "   a connection of this listener: to send $send\n";
// On a socket that waits, this write would not come back: the client reads nothing.
socket_set_nonblock($busy);
$data = str_repeat('x', 10_000_000);
echo '   write 10000000 bytes: ', socket_write($busy, $data), " went\n";
// Some may have moved on to the client by now, so a little more fits.
while (socket_write($busy, $data) !== false) {
}
$full = socket_last_error($busy);
echo "   write on until it is full: [$full] ", socket_strerror($full), "\n";
socket_close($client);

echo "\n7. socket_set_nonblock, socket_set_block: whether a call waits at all\n";
socket_set_nonblock($waiting);
echo '   nonblock, read: ', read($waiting), "\n";
socket_set_block($waiting);
echo '   block, read:    ', read($waiting), "\n";
socket_set_nonblock($listener);
if (socket_accept($listener)) {
    echo "   nonblock, accept: somebody called\n";
} else {
    // The one not made has failed: the code is not kept in the listener, but in PHP's own slot.
    echo '   nonblock, accept: [', socket_last_error(), '] ', socket_strerror(socket_last_error()), "\n";
}

echo "\n8. socket_getopt, socket_setopt: older names for the same\n";
socket_setopt($waiting, SOL_SOCKET, SO_KEEPALIVE, 0);
echo '   SO_KEEPALIVE is ', socket_getopt($waiting, SOL_SOCKET, SO_KEEPALIVE), " again\n";
if (@socket_setopt($waiting, SOL_SOCKET, 9999, 1) === false) {
    echo '   ', error_get_last()['message'], "\n";
}
socket_close($silent);
exit(0); // also if the reader has left (screen.php)

// A server with one client ends, and the next server wants the same port. The result is what it gets.
function startTwice(int $first, int $second): string
{
    $server = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    // Before bind, which is what it changes. 0 is what a new socket has.
    socket_set_option($server, SOL_SOCKET, SO_REUSEADDR, $first);
    socket_bind($server, '127.0.0.1', 0);
    socket_listen($server, 1);
    socket_getsockname($server, $address, $port);
    [$client, $connection] = connect($server);
    // The side that closes first keeps the connection in TIME_WAIT: this time the server.
    socket_close($connection);
    socket_read($client, 1024);
    socket_close($client);
    socket_close($server);

    $server = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_set_option($server, SOL_SOCKET, SO_REUSEADDR, $second);
    return @socket_bind($server, '127.0.0.1', $port)
        ? "bound to $address:$port again"
        : error_get_last()['message'];
}

// A client, and the listener's connection to it.
function connect(Socket $listener): array
{
    $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_getsockname($listener, $address, $port);
    socket_connect($client, '127.0.0.1', $port);
    return [$client, socket_accept($listener)];
}

// The result of a read, and the time it took. To have nothing yet is no failure: PHP does not warn of it.
function read(Socket $socket): string
{
    $begin = hrtime(true);
    $data = socket_read($socket, 1024);
    $code = socket_last_error($socket);
    $outcome = $data !== false ? strlen($data) . ' bytes' : "[$code] " . socket_strerror($code);
    return "$outcome, after " . milliseconds($begin) . ' ms';
}

function milliseconds(int $begin): int
{
    return intdiv(hrtime(true) - $begin, 1_000_000);
}
