<?php
// Lesson 20 · IPv6 and names.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

// make php-20 ARGS="HOST"
$host = $argv[1] ?? 'localhost';

echo "1. One server for IPv4 and IPv6.\n";
if ($server = dual_stack()) {
    socket_getsockname($server, $here, $port);
    echo "   server: bound to [$here]:$port, for both\n";
    foreach ([[AF_INET, '127.0.0.1'], [AF_INET6, '::1']] as [$domain, $address]) {
        $client = socket_create($domain, SOCK_STREAM, SOL_TCP);
        if (@socket_connect($client, $address, $port)) {
            $connection = socket_accept($server);
            socket_getpeername($connection, $caller);
            echo "   client of $address: the server sees $caller\n";
        } else {
            // The kernel has IPv6, but no interface uses it.
            echo "   client of $address: ", socket_strerror(socket_last_error($client)), "\n";
        }
    }
    socket_close($server);
} else {
    // A kernel without IPv6. A server would now go on with an IPv4 socket, as part 3 does.
    echo '   this machine has no IPv6: ', error_get_last()['message'], "\n";
}

echo "2. A name has one address or several.\n";
// Only streams: otherwise each address comes once for TCP, once for UDP and once raw.
$hints = ['ai_socktype' => SOCK_STREAM];
$found = lookup($host, 'http', $hints);
$names = implode(', ', array_map(name(...), $found)) ?: 'no address';
echo "   $host, port of http: $names\n";

echo "3. A client tries one after the other.\n";
$own = lookup('127.0.0.1', '0', $hints);
$server = socket_addrinfo_bind($own[0]);
socket_listen($server, 5);
socket_getsockname($server, $here, $port);
echo "   server: bound to 127.0.0.1:$port, for IPv4 alone\n";
// The addresses that a name with two would give: ::1 goes first, as in most answers of the resolver.
$found = lookup('::1', (string) $port, $hints);
array_push($found, ...lookup('127.0.0.1', (string) $port, $hints));
$connected = connect($found);
if ($connected) {
    socket_getpeername($connected, $address, $port);
    echo "   client: connected to $address:$port\n";
}

echo "4. An address is a text, bytes, a number, and perhaps a name.\n";
// Two texts may be one address: compare the bytes.
$bytes = inet_pton('0:0::1');
echo '   inet_pton: 0:0::1 is ', strlen($bytes), ' bytes; inet_ntop: they are ', inet_ntop($bytes), "\n";
$number = ip2long('127.0.0.1');
echo "   ip2long: 127.0.0.1 is $number; long2ip: the next one is ", long2ip($number + 1), "\n";
echo '   gethostbyaddr: 127.0.0.1 is ', gethostbyaddr('127.0.0.1'), "\n";
exit(0); // also if the reader has left (screen.php)

/** A listener that takes clients of both families. */
function dual_stack(): Socket|false
{
    $server = @socket_create(AF_INET6, SOCK_STREAM, SOL_TCP);
    if (!$server) {
        return false;
    }
    // 0: IPv4 too. Always said, for the default is up to the machine (/proc/sys/net/ipv6/bindv6only).
    socket_set_option($server, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    // `::` is every address of this machine, of both families. There is no `both loopbacks`.
    if (!@socket_bind($server, '::', 0)) {
        return false;
    }
    socket_listen($server, 5);
    return $server;
}

/** The addresses of a name. An unknown name has none, and PHP warns of none. */
function lookup(string $host, string $service, array $hints): array
{
    return socket_addrinfo_lookup($host, $service, $hints) ?: [];
}

/** A connection to the first address that answers. */
function connect(array $found): ?Socket
{
    foreach ($found as $info) {
        $client = @socket_addrinfo_connect($info);
        if ($client) {
            return $client;
        }
        $name = socket_addrinfo_explain($info)['ai_addr'];
        $address = $name['sin_addr'] ?? $name['sin6_addr'];
        echo "   client: $address fails, ", socket_strerror(socket_last_error()), "\n";
    }
    return null;
}

/** An address as text. */
function name(AddressInfo $info): string
{
    $address = socket_addrinfo_explain($info)['ai_addr'];
    return isset($address['sin_addr'])
        ? "{$address['sin_addr']}:{$address['sin_port']}"
        : "[{$address['sin6_addr']}]:{$address['sin6_port']}";
}
