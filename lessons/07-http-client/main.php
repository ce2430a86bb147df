<?php
// Lesson 07 · the HTTP client.

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

// /etc/services knows the port of http; a machine without that file knows none, and 80 is what it would say.
$http = getservbyname('http', 'tcp') ?: 80;

// make php-07 ARGS="HOST PORT". HOST alone means the port of http, nothing at all a server on this machine.
$host = $argv[1] ?? 'localhost';
$port = $argv[2] ?? ($argc > 1 ? $http : 8080);
if (!preg_match('/^\+?\d+\z/', $port) || $port > 65535) {
    fwrite(STDERR, "The port has to be a number from 0 to 65535.\n");
    exit(1);
}
$port = (int) $port;

// Every IPv4 address of the name. Nobody knows it: false, Rust's None.
$addresses = gethostbynamel($host);
if ($addresses === false) {
    fwrite(STDERR, "Nobody knows an IPv4 address of this host.\n");
    exit(1);
}
// The first address. An unknown name would come back as it is, as if it were an address.
$address = gethostbyname($host);
echo "gethostbynamel: $host is ", implode(' and ', $addresses), "\n";
echo "gethostbyname:  $host is $address\n";
echo "getservbyname:  http over tcp is port $http; this time it is $port\n";

$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_connect($socket, $address, $port);

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
while (socket_recv($socket, $data, 8192, MSG_WAITALL) > 0) {
    $length += strlen($data);
    $text .= str_replace("\r", '', $data);
    // A character of several bytes may be cut in two here: its beginning waits for the next piece.
    $cut = preg_match('/[\xc2-\xf4][\x80-\xbf]{0,2}\z/', $text, $found) ? strlen($found[0]) : 0;
    $begun = substr($text, strlen($text) - $cut);
    echo harmless(substr($text, 0, strlen($text) - $cut));
    $text = $begun;
}
echo harmless($text), "\nsocket_recv:    $length bytes, and the end of the stream\n";
socket_close($socket);

/** HTTP's lines end with \r\n, the terminal's with \n. Other control characters could repaint the screen. */
function harmless(string $text): string
{
    return preg_replace('/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/', '?', $text);
}
