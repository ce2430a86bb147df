<?php
// A UDP broadcast on loopback: one datagram, heard by two receivers on the same port.

function receiver(int $port): Socket
{
    $socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
    socket_set_option($socket, SOL_SOCKET, SO_REUSEADDR, 1);
    socket_set_option($socket, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 5, 'usec' => 0]);
    socket_bind($socket, '127.255.255.255', $port);
    return $socket;
}

// The first receiver's port is any free one, and the second shares it.
$first = receiver(0);
socket_getsockname($first, $address, $port);
$second = receiver($port);

$sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
$allowed = socket_get_option($sender, SOL_SOCKET, SO_BROADCAST);
echo "may broadcast: $allowed\n";
if (!@socket_sendto($sender, 'anybody?', 8, 0, '127.255.255.255', $port)) {
    echo error_get_last()['message'], "\n";
}

socket_set_option($sender, SOL_SOCKET, SO_BROADCAST, 1);
$allowed = socket_get_option($sender, SOL_SOCKET, SO_BROADCAST);
echo "may broadcast: $allowed\n";
foreach (['anybody?', '', 'good bye'] as $text) {
    $sent = socket_sendto($sender, $text, strlen($text), 0, '127.255.255.255', $port);
    echo "sent $sent bytes\n";
}

foreach (['first' => $first, 'second' => $second] as $name => $socket) {
    for ($i = 0; $i < 3; $i++) {
        $received = socket_recvfrom($socket, $data, 1024, 0, $address, $from);
        echo "$name: $received bytes from $address: '$data'\n";
    }
}

// Nothing more is on its way.
socket_set_option($first, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 0, 'usec' => 20000]);
if (@socket_recvfrom($first, $data, 1024, 0, $address, $from) === false) {
    echo 'first: ', socket_strerror(socket_last_error($first)), "\n";
}
