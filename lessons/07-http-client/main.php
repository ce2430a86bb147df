<?php
// Lesson 07 · the HTTP client.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../text.php';

// A warning ends the program, as `?` does in main.rs; of one that @ has hushed error_get_last() tells.
set_error_handler(function (int $level, string $message) {
    if (error_reporting() & $level) {
        fwrite(STDERR, "Error: $message\n");
        exit(1);
    }
    return false;
}, E_WARNING);

// /etc/services knows the port of http; a machine without that file knows none, and 80 is what it would say.
$http = getservbyname('http', 'tcp') ?: 80;

// make php-07 ARGS="HOST PORT". HOST alone means the port of http. Without a host it is this machine.
[$host, $port] = match (true) {
    $argc === 1 => ['localhost', 8080],
    $argc === 2 && ctype_digit($argv[1]) => ['localhost', $argv[1]],
    $argc === 2 => [$argv[1], $http],
    default => [$argv[1], $argv[2]],
};
if (!preg_match('/^\+?\d+\z/', $port) || $port > 65535) {
    fwrite(STDERR, "The port has to be a number from 0 to 65535.\n");
    exit(1);
}
$port = (int) $port;

// Every IPv4 address of the name. An unknown name gives false, Rust's None.
$addresses = gethostbynamel($host);
if ($addresses === false) {
    fwrite(STDERR, "Nobody knows an IPv4 address of this host.\n");
    exit(1);
}
// The first address. An unknown name would come back as it is, as if it were an address.
$address = gethostbyname($host);
echo 'gethostname:    this machine is ', gethostname(), "\n";
echo "gethostbynamel: $host is ", implode(' and ', $addresses), "\n";
echo "gethostbyname:  $host is $address\n";
echo "getservbyname:  http over tcp is port $http; this time it is $port\n";

$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
if (!@socket_connect($socket, $address, $port)) {
    if (socket_last_error($socket) === SOCKET_ECONNREFUSED && $address === '127.0.0.1') {
        fwrite(STDERR, "No server listens there. Start one first, in another terminal: make php-22 ARGS=$port\n");
    }
    fwrite(STDERR, 'Error: ' . error_get_last()['message'] . "\n");
    exit(1);
}

// Host: one server has many sites; this one is meant. Without it, a server of HTTP/1.1 answers 400.
$site = $port === $http ? $host : "$host:$port";
// Connection: close. Without it the server keeps the connection open, and the last read below waits for it.
$request = "GET / HTTP/1.1\r\nHost: $site\r\nConnection: close\r\n\r\n";
// One send may take less than all of it.
$rest = $request;
while ($rest !== '') {
    $sent = socket_send($socket, $rest, strlen($rest), 0);
    echo "socket_send:    $sent of ", strlen($rest), " bytes\n";
    $rest = substr($rest, $sent);
}

// MSG_WAITALL waits for all 8192 bytes, or for the end of the stream. An answer may be longer than memory: each
// piece is printed and forgotten.
echo "\n";
[$text, $length] = ['', 0];
while (!connection_aborted() && socket_recv($socket, $data, 8192, MSG_WAITALL) > 0) {
    $length += strlen($data);
    $text .= $data;
    // A character of several bytes may be cut in two here: its beginning waits for the next piece.
    $whole = whole($text);
    echo shown(substr($text, 0, $whole));
    $text = substr($text, $whole);
}
echo shown($text), "\nsocket_recv:    $length bytes, and the end of the stream\n";
socket_close($socket);
exit(0); // also if the reader has left (screen.php)

/** HTTP's lines end with \r\n, the terminal's with \n. Other control characters could repaint the screen. */
function shown(string $text): string
{
    return str_replace("\r", '', harmless($text, "\r\n\t"));
}
