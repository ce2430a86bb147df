<?php
// Lesson 23 · urgent data.

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

echo "1. A byte that overtakes the others.\n";
[$client, $server] = connection();
socket_send($client, 'abc', 3, 0);
socket_send($client, '!', 1, MSG_OOB);
socket_send($client, 'def', 3, 0);
echo "   client: sends 'abc', then '!' as urgent, then 'def'\n";
$read = $write = null;
$except = [$server];
$count = socket_select($read, $write, $except, 10, 0);
echo "   server: select's third set says urgent data has come: $count\n";
// Both ends are in this kernel: what has been sent is here.
echo '   server: at the mark? ', at_mark($server), "\n";
echo "   server: reads '", harmless(read($server)), "', and no further than the mark\n";
echo '   server: at the mark? ', at_mark($server), "\n";
socket_recv($server, $urgent, 1, MSG_OOB);
echo "   server: the urgent byte is '", harmless($urgent), "'\n";
echo "   server: reads '", harmless(read($server)), "'\n";

echo "2. To look is not to take.\n";
socket_write($client, 'look');
socket_recv($server, $seen, 1024, MSG_PEEK);
echo "   server: sees '", harmless($seen), "', and reads '", harmless(read($server)), "' all the same\n";

echo "3. Half a connection: one side has said everything, and still listens.\n";
socket_write($client, 'my last words');
socket_shutdown($client, 1);
echo "   server: reads '", harmless(read($server)), "', then '", harmless(read($server)), "'\n";
socket_write($server, 'I have heard you');
echo "   client: reads '", harmless(read($client)), "'\n";
writes('client: writes', $client);

echo "4. Four ways to end, and what comes of a read or a write then.\n";
[$client, $server] = connection();
socket_close($client);
reads('closed: read', $server);
// The first write goes to a closed socket, whose kernel answers with a reset.
writes('closed: first write', $server);
writes('closed: second write', $server);

[$client, $server] = connection();
socket_set_option($client, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
socket_close($client);
reads('reset: read', $server);

[$client, $server] = connection();
socket_write($server, 'never read');
socket_close($client);
reads('closed with bytes unread: read', $server);

[$client, $server] = connection();
socket_shutdown($server, 0);
reads('own SHUT_RD: read', $server);
socket_shutdown($server, 2);
writes('own SHUT_RDWR: write', $server);
exit(0); // also if the reader has left (screen.php)

/** Both ends of a new connection. */
function connection(): array
{
    $listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_bind($listener, '127.0.0.1', 0);
    socket_listen($listener, 1);
    socket_getsockname($listener, $address, $port);
    $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_connect($client, $address, $port);
    return [$client, socket_accept($listener)];
}

function read(Socket $socket): string|false
{
    return socket_read($socket, 1024);
}

/** Reads, and prints the bytes or the error. */
function reads(string $what, Socket $socket): void
{
    $data = @read($socket);
    $code = socket_last_error($socket);
    echo "   $what: ", $data !== false ? "'" . harmless($data) . "'" : "[$code] " . socket_strerror($code), "\n";
}

/** Writes, and prints how much the kernel took, or the error. */
function writes(string $what, Socket $socket): void
{
    $sent = @socket_write($socket, 'hello?');
    $code = socket_last_error($socket);
    echo "   $what: ", $sent !== false ? "$sent bytes" : "[$code] " . socket_strerror($code), "\n";
}

/** PHP has socket_atmark since 8.3. */
function at_mark(Socket $socket): string
{
    if (!function_exists('socket_atmark')) {
        return 'PHP 8.3 would know';
    }
    return socket_atmark($socket) ? 'yes' : 'no';
}
