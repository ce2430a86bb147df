<?php
// A multicast receiver on loopback: it joins a group, closes its ears to one sender, and leaves.

const GROUP = '239.255.42.99';

/** Sends to the group by the loopback interface, from one of this machine's own addresses. */
function say(string $from, int $port, string $text): void
{
    $sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
    socket_bind($sender, $from, 0);
    socket_set_option($sender, IPPROTO_IP, IP_MULTICAST_IF, 'lo');
    socket_set_option($sender, IPPROTO_IP, IP_MULTICAST_TTL, 0);
    socket_sendto($sender, $text, strlen($text), 0, GROUP, $port);
}

function hear(Socket $receiver): void
{
    if (@socket_recvfrom($receiver, $data, 1024, 0, $address, $port) !== false) {
        echo "$address says '$data'\n";
    } else {
        echo 'silence: ', socket_strerror(socket_last_error($receiver)), "\n";
    }
}

$receiver = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
socket_bind($receiver, GROUP, 0);
socket_getsockname($receiver, $address, $port);

$group = ['group' => GROUP, 'interface' => 'lo'];
socket_set_option($receiver, IPPROTO_IP, MCAST_JOIN_GROUP, $group);
if (!@socket_set_option($receiver, IPPROTO_IP, MCAST_JOIN_GROUP, $group)) {
    echo error_get_last()['message'], "\n";
}
socket_set_option($receiver, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 5, 'usec' => 0]);
say('127.0.0.1', $port, 'hello');
hear($receiver);
say('127.0.0.2', $port, 'hello, too');
hear($receiver);

// One of the two is not to be heard any more.
$source = ['group' => GROUP, 'source' => '127.0.0.2', 'interface' => 'lo'];
socket_set_option($receiver, IPPROTO_IP, MCAST_BLOCK_SOURCE, $source);
say('127.0.0.2', $port, 'can you hear me?');
say('127.0.0.1', $port, 'I can');
hear($receiver);
socket_set_option($receiver, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, $source);
say('127.0.0.2', $port, 'now I can, too');
hear($receiver);

socket_set_option($receiver, IPPROTO_IP, MCAST_LEAVE_GROUP, $group);
socket_set_option($receiver, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 0, 'usec' => 20000]);
$index = socket_get_option($receiver, IPPROTO_IP, IP_MULTICAST_IF);
echo "left; multicast goes out by interface $index\n";
hear($receiver);
