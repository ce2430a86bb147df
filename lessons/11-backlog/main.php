<?php
// Lesson 11 · the backlog.

// A warning ends the program, as `?` does in main.rs; @ says that the next line looks for itself.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

echo "Clients connect, and nobody accepts them. What the kernel does:\n\n";
echo "backlog  clients  connected  still trying  refused\n";
foreach ([0, 1, 3, 10] as $backlog) {
    [$listener, $clients] = crowd($backlog, 4);
    [$connected, $trying, $refused] = states($clients);
    printf("%7d %8d %10d %13d %8d\n", $backlog, count($clients), count($connected), count($trying), count($refused));
    // Before its clients, so that none of them comes in late.
    socket_close($listener);
}

echo "\nNow with backlog 1: two clients wait in the queue, a third keeps trying.\n";
[$listener, $clients] = crowd(1, 1);
[$connected, $trying] = states($clients);
$waiting = $connected[0] ?? $listener;
$sent = socket_write($waiting, 'Is anybody there?');
echo "The first in the queue sends $sent bytes, and the kernel takes them.\n";

echo "The server accepts it, which makes room for the third:\n";
$accepted = socket_accept($listener);
$begin = hrtime(true);
$admitted = $trying;
$read = $except = null;
$count = socket_select($read, $admitted, $except, 10, 0);
$milliseconds = intdiv(hrtime(true) - $begin, 1_000_000);
echo "   $count connected after $milliseconds ms, when it has tried again.\n";
$data = socket_read($accepted, 1024);
echo "   The server reads '$data', sent before it accepted.\n";

echo "The listener is closed. The second in the queue reads:\n";
socket_close($listener);
$left = $connected[1] ?? $accepted;
$data = @socket_read($left, 1024);
echo '   ', $data === false ? error_get_last()['message'] : strlen($data) . ' bytes', "\n";

$limit = @file_get_contents('/proc/sys/net/core/somaxconn');
echo "\nSOMAXCONN is ", SOMAXCONN, '. This kernel takes a larger backlog for ', trim($limit), ".\n";

/** A listener, and as many clients as its queue holds and some more, each of which has begun to connect. */
function crowd(int $backlog, int $more): array
{
    $listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_bind($listener, '127.0.0.1', 0);
    socket_listen($listener, $backlog);
    socket_getsockname($listener, $address, $port);

    $room = $backlog + 1;
    $clients = [];
    for ($i = 0; $i < $room + $more; $i++) {
        $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        // Otherwise the first client that is not let in would hold up this program for two minutes.
        socket_set_nonblock($client);
        if (!@socket_connect($client, '127.0.0.1', $port) && socket_last_error($client) !== SOCKET_EINPROGRESS) {
            trigger_error(error_get_last()['message']);
        }
        $clients[] = $client;
    }
    return [$listener, $clients];
}

/** Which clients are connected, which are still trying, and which were refused. */
function states(array $clients): array
{
    $trying = $clients;
    $connected = $refused = [];
    while ($trying) {
        // A connect that has ended makes its socket writable; 0.2 seconds in which none ends are enough.
        $ended = $trying;
        $read = $except = null;
        if (socket_select($read, $ended, $except, 0, 200_000) === 0) {
            break;
        }
        foreach ($ended as $key => $client) {
            unset($trying[$key]);
            // How it ended: 0 is success (lesson 14).
            if (socket_get_option($client, SOL_SOCKET, SO_ERROR) === 0) {
                $connected[] = $client;
            } else {
                $refused[] = $client;
            }
        }
    }
    return [$connected, $trying, $refused];
}
