<?php
// Lesson 01 · first socket.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave

// The first socket. It has no address and no peer yet: those are the next lessons.
$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP) or exit(1);
echo "A socket: created with three choices, then closed.\n";
socket_close($socket);

// Break it: uncomment the next line. PHP throws an Error when it gets there.
// socket_close($socket);

// The three choices. PHP's constants are plain numbers.
$domains = [
    ['AF_INET', AF_INET, 'IPv4: TCP and UDP'],
    ['AF_INET6', AF_INET6, 'IPv6: TCP and UDP'],
    ['AF_UNIX', AF_UNIX, 'this machine only, and fast'],
];
echo "\n1. Domain: which addresses does the socket use?\n";
foreach ($domains as [$name, $domain, $meaning]) {
    printf("   %-15s %4d  %s\n", $name, $domain, $meaning);
}

$types = [
    ['SOCK_STREAM', SOCK_STREAM, 'a stream of bytes: ordered, reliable, both ways (TCP)'],
    ['SOCK_DGRAM', SOCK_DGRAM, 'datagrams: no connection, no order, no promise (UDP)'],
    ['SOCK_SEQPACKET', SOCK_SEQPACKET, 'records: ordered, reliable, connected, kept apart'],
    ['SOCK_RAW', SOCK_RAW, "a protocol's own packets, without TCP or UDP"],
    ['SOCK_RDM', SOCK_RDM, 'datagrams: reliable, but in any order'],
];
echo "\n2. Type: what travels, and with which promise?\n";
foreach ($types as [$name, $type, $meaning]) {
    printf("   %-15s %4d  %s\n", $name, $type, $meaning);
}

// A protocol is a number too; /etc/protocols knows its name. An unknown name has no number:
// PHP says false. The 0 of "ip" is a number, so compare with === false.
$names = [
    ['ip', 'none named: the default of domain and type'],
    ['icmp', 'control messages; ping uses them'],
    ['tcp', 'a byte stream, sent again until acknowledged'],
    ['udp', 'datagrams, with the least overhead'],
    ['nosuch', 'no such protocol: false in PHP, None in Rust'],
];
echo "\n3. Protocol: who does the work?\n";
foreach ($names as [$name, $meaning]) {
    $protocol = getprotobyname($name);
    if ($protocol === false) {
        printf("   %-15s    -  %s\n", $name, $meaning);
    } else {
        printf("   %-15s %4d  %s\n", $name, $protocol, $meaning);
    }
}

$constants = [
    ['IPPROTO_IP', IPPROTO_IP, 'protocol 0: the kernel takes the default'],
    ['SOL_TCP', SOL_TCP, 'tcp, without looking it up'],
    ['SOL_UDP', SOL_UDP, 'udp, without looking it up'],
    ['SOMAXCONN', SOMAXCONN, 'how many callers may queue at a listener (lesson 03)'],
    ['PHP_BINARY_READ', PHP_BINARY_READ, 'read what has arrived (lesson 03)'],
    ['PHP_NORMAL_READ', PHP_NORMAL_READ, 'read up to the end of the line (lesson 06)'],
    ['SOL_SOCKET', SOL_SOCKET, 'options that every socket has (lesson 14)'],
];
echo "\n4. Constants you meet next\n";
foreach ($constants as [$name, $value, $meaning]) {
    printf("   %-15s %4d  %s\n", $name, $value, $meaning);
}

// Now try every combination, and close at once what the kernel grants.
$icmp = getprotobyname('icmp') ?: 1;
$protocols = [IPPROTO_IP, $icmp, SOL_TCP, SOL_UDP];
echo "\n5. Every combination: granted, or the number of the kernel's error\n";
echo '   domain   type          ';
foreach ($protocols as $protocol) {
    $title = getprotobynumber($protocol) . " $protocol";
    printf('%10s', $title);
}
echo "\n";
foreach ($domains as [$domain_name, $domain]) {
    foreach ($types as [$type_name, $type]) {
        printf('   %-9s%-14s', $domain_name, $type_name);
        foreach ($protocols as $protocol) {
            $socket = @socket_create($domain, $type, $protocol);
            if ($socket !== false) {
                socket_close($socket);
                echo '   granted';
            } else {
                $number = '[' . socket_last_error() . ']';
                printf('%10s', $number);
            }
        }
        echo "\n";
    }
}
echo "   AF_UNIX has one protocol of its own. Its number is 1 as well; it is not icmp.\n";

// A warning holds the whole sentence; @ keeps it off the screen, error_get_last() has it.
$refused = [
    ['SOCK_STREAM, udp', SOCK_STREAM, SOL_UDP, 'UDP carries datagrams; it has no stream to offer.'],
    ['SOCK_SEQPACKET, 0', SOCK_SEQPACKET, 0, 'A type is no flag: some protocol has to do the work.'],
    ['SOCK_RDM, 0', SOCK_RDM, 0, 'The same: no IPv4 protocol of this kernel does it.'],
    ['SOCK_RAW, icmp', SOCK_RAW, $icmp, 'For root, or with the capability CAP_NET_RAW.'],
    ['SOCK_DGRAM, icmp', SOCK_DGRAM, $icmp, 'Ping without root: net.ipv4.ping_group_range decides.'],
];
echo "\n6. Five of them in the kernel's words, for AF_INET\n";
foreach ($refused as [$choice, $type, $protocol, $meaning]) {
    printf("   %-17s  %s\n", $choice, $meaning);
    $socket = @socket_create(AF_INET, $type, $protocol);
    if ($socket !== false) {
        echo "      granted to this user\n";
    } else {
        echo '      ', error_get_last()['message'], "\n";
    }
}
exit(0); // also if the reader has left (screen.php)
