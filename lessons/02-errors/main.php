<?php
// Lesson 02 · errors.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave

$first = socket_create(AF_INET, SOCK_STREAM, SOL_TCP) or exit(1);
$second = socket_create(AF_INET, SOCK_STREAM, SOL_TCP) or exit(1);
$client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP) or exit(1);
echo "Three sockets, and nothing has failed yet\n";
slots($second, $client);

// Port 0 means "any free port". The kernel chooses, and we ask which.
socket_bind($first, '127.0.0.1', 0) or exit(1);
socket_getsockname($first, $address, $port) or exit(1);
echo "\n1. bind, to a port that is taken\n";
echo "   first is bound to $address:$port; second wants to be\n";
// PHP warns and returns false; @ keeps the warning off the screen, error_get_last() has it.
if (!@socket_bind($second, $address, $port)) {
    echo '   ', error_get_last()['message'], "\n";
}
echo "   One address has one owner.\n";
slots($second, $client);

echo "\n2. connect, to a port where nobody listens\n";
if (!@socket_connect($client, $address, $port)) {
    echo '   ', error_get_last()['message'], "\n";
}
echo "   The port has an owner, but first is only bound: it does not listen.\n";
slots($second, $client);

echo "\n3. bind, to an address that is not this machine's\n";
if (!@socket_bind($second, '192.0.2.1', 0)) {
    echo '   ', error_get_last()['message'], "\n";
}
echo "   bind is about your own end. The other end's address is for connect.\n";
slots($second, $client);

echo "\n4. connect, to a host that nobody knows\n";
if (!@socket_connect($client, 'no-such-host.invalid', 80)) {
    echo '   ', error_get_last()['message'], "\n";
}
echo "   A code below -10000 is the resolver's: no address, so no attempt.\n";
slots($second, $client);

// No file name of a socket is that long. PHP throws: this is the caller's mistake.
echo "\n5. bind, with an argument that makes no sense\n";
$local = socket_create(AF_UNIX, SOCK_STREAM, 0) or exit(1);
try {
    socket_bind($local, str_repeat('x', 108), 0);
    echo "   it was allowed\n";
} catch (ValueError $error) {
    echo '   ', $error->getMessage(), "\n";
}
echo "   A ValueError in PHP, an Err in Rust. The kernel is not asked, no slot is set.\n";
slots($second, $client);

// Closing takes $first away for good, which frees its address.
echo "\n6. bind again, now that first is closed\n";
socket_close($first);
socket_bind($second, $address, $port) or exit(1);
socket_getsockname($second, $address, $port) or exit(1);
echo "   second is bound to $address:$port\n";
echo "   It worked, and the old errors stay: success clears nothing.\n";
slots($second, $client);

echo "\n7. accept, on a socket that does not listen\n";
if (!@socket_accept($second)) {
    echo '   ', error_get_last()['message'], "\n";
}
echo "   The socket that failed is the one not made: second's slot stays as it was.\n";
slots($second, $client);

echo "\n8. clear the slots: first second's, then the thread's\n";
socket_clear_error($second);
slots($second, $client);
socket_clear_error();
slots($second, $client);

echo "\n9. bind, to four ports\n";
$ports = [
    [0, 'any free port'],
    [1, 'privileged: for root, or with the capability CAP_NET_BIND_SERVICE'],
    [1023, 'the last of the privileged ports'],
    [65535, 'the last of all: a port is a number of 16 bits'],
];
foreach ($ports as [$port, $meaning]) {
    printf("   %5d  %s\n", $port, $meaning);
    $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP) or exit(1);
    if (@socket_bind($socket, '127.0.0.1', $port)) {
        socket_getsockname($socket, $address, $port) or exit(1);
        echo "          bound to $address:$port\n";
    } else {
        echo '          ', error_get_last()['message'], "\n";
    }
}

echo "\n10. socket_strerror: a code in, its text out\n";
foreach ([0, SOCKET_EACCES, SOCKET_EADDRINUSE, SOCKET_ECONNREFUSED, 9999, -10001] as $code) {
    printf("   %6d  %s\n", $code, socket_strerror($code));
}
// Break it: uncomment the next line. PHP throws a TypeError when it gets there.
// echo socket_strerror($second), "\n";

echo "\n11. socket_create, and the check that never fires\n";
$socket = @socket_create(AF_INET, SOCK_DGRAM, SOL_TCP);
if ($socket === false) {
    echo '   ', error_get_last()['message'], "\n";
}
$fires = var_export($socket < 0, true);
echo "   PHP gives false, and (false < 0) is $fires. Write: if (\$socket === false)\n";
exit(0); // also if the reader has left (screen.php)

// The last errors: each socket has a slot of its own, and PHP has one for all.
function slots(Socket $second, Socket $client): void
{
    [$second, $client] = [socket_last_error($second), socket_last_error($client)];
    echo "   slots: second $second, client $client, thread ", socket_last_error(), "\n";
}
