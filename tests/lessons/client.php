<?php
// The client of lessons/client.rs in PHP: what is typed is sent, what arrives is printed.
[, $address, $port] = $argv;

$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
if (!socket_connect($socket, $address, (int) $port)) {
    exit(1);
}
// socket_select takes sockets alone; to wait for the keyboard too, the socket becomes a stream.
$stream = socket_export_stream($socket);
$open = [STDIN, $stream];
while (true) {
    $read = $open;
    $write = $except = null;
    stream_select($read, $write, $except, null);
    if (in_array($stream, $read, true)) {
        $data = socket_read($socket, 8192);
        if ($data === '' || $data === false) {
            exit($data === '' ? 0 : 1);
        }
        echo preg_replace_callback('/[\x00-\x08\x0b-\x1f\x7f]/', fn ($found) => match ($found[0]) {
            "\r" => '\r',
            default => sprintf('\u{%x}', ord($found[0])),
        }, $data);
    }
    if (in_array(STDIN, $read, true)) {
        $typed = fread(STDIN, 4096);
        if ($typed === '' || $typed === false) {
            socket_shutdown($socket, 1);
            $open = [$stream];
        }
        while ((string) $typed !== '') {
            $sent = socket_write($socket, $typed);
            if ($sent === false) {
                exit(1);
            }
            $typed = substr($typed, $sent);
        }
    }
}
