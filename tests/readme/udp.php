<?php
// The UDP server of the porting guide, before the port.

/** The next datagram and its sender, or null if none has come. */
function receive(Socket $socket): ?array
{
    if (@socket_recvfrom($socket, $data, 1500, 0, $address, $port) === false) {
        $code = socket_last_error($socket);
        socket_clear_error($socket);
        if ($code === SOCKET_EAGAIN) {
            return null;
        }
        throw new RuntimeException(socket_strerror($code), $code);
    }
    return [$data, $address, $port];
}

$socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
socket_bind($socket, '127.0.0.1', 0);
socket_set_nonblock($socket);
socket_getsockname($socket, $address, $port);
echo "Listening on $address:$port\n";

while (true) {
    $read = [$socket];
    $write = $except = null;
    if (@socket_select($read, $write, $except, 1) === false) {
        continue; // a signal came
    }
    // A flood of datagrams must not keep the loop from its other work.
    for ($i = 0; $i < 100 && ($received = receive($socket)); $i++) {
        [$data, $address, $port] = $received;
        if (str_starts_with($data, 'ping ')) {
            $answer = 'pong ' . substr($data, 5);
            $length = strlen($answer);
            @socket_sendto($socket, $answer, $length, 0, $address, $port);
        }
    }
}
