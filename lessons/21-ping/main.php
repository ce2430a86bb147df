<?php
// Lesson 21 · ping.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

const COUNT = 4;
// How long to wait for an answer, in seconds.
const PATIENCE = 1;
// ICMP's types: a question, and the answer to it.
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

// make php-21 ARGS="HOST"
$host = $argv[1] ?? '127.0.0.1';
$address = gethostbyname($host);
$icmp = getprotobyname('icmp') ?: 1;

// Raw: we write ICMP's header ourselves, and see all ICMP packets of this machine. That takes the rights of root.
// The datagram socket sees its own answers only, and is for those in /proc/sys/net/ipv4/ping_group_range.
$socket = @socket_create(AF_INET, SOCK_RAW, $icmp);
$raw = $socket !== false;
if (!$raw && !in_array(socket_last_error(), [SOCKET_EPERM, SOCKET_EACCES], true)) {
    // Not for want of the right to it: that would be no better with the other.
    fwrite(STDERR, 'Error: ' . error_get_last()['message'] . "\n");
    exit(1);
}
if (!$raw) {
    $socket = @socket_create(AF_INET, SOCK_DGRAM, $icmp);
}
if (!$socket) {
    fwrite(STDERR, error_get_last()['message'] . "\n");
    fwrite(STDERR, "Run it as root, or let root allow it: sysctl net.ipv4.ping_group_range='0 2147483647'\n");
    exit(1);
}
echo "PING $host ($address)\n";

// The number that tells our answers from those of other programs.
$id = getmypid() & 0xffff;
$times = [];
for ($sequence = 1; $sequence <= COUNT; $sequence++) {
    $packet = echo_request($id, $sequence);
    $begin = hrtime(true);
    socket_sendto($socket, $packet, strlen($packet), 0, $address, 0);
    $time = answer($socket, $raw, $id, $sequence, $begin);
    if ($time !== null) {
        printf("%d bytes: seq=%d time=%.3f ms\n", strlen($packet), $sequence, $time * 1000);
        $times[] = $time;
    } else {
        echo "seq=$sequence: no answer within ", PATIENCE, " s\n";
    }
}

$received = count($times);
$lost = COUNT - $received;
echo COUNT, " sent, $received received, ", intdiv($lost * 100, COUNT), "% lost\n";
if ($times) {
    $average = array_sum($times) / $received;
    printf("min/avg/max = %.3f/%.3f/%.3f ms\n", min($times) * 1000, $average * 1000, max($times) * 1000);
}
socket_close($socket);
exit(0); // also if the reader has left (screen.php)

/** Type, code, checksum, identifier, sequence number, and some bytes that come back as they are. */
function echo_request(int $id, int $sequence): string
{
    $text = 'php-sockets, lesson 21';
    $checksum = checksum(pack('CCnnn', ECHO_REQUEST, 0, 0, $id, $sequence) . $text);
    return pack('CCnnn', ECHO_REQUEST, 0, $checksum, $id, $sequence) . $text;
}

/** The Internet's checksum (RFC 1071): all pairs of bytes added, carries too, and turned round. */
function checksum(string $packet): int
{
    $sum = 0;
    foreach (str_split($packet, 2) as $pair) {
        $sum += unpack('n', str_pad($pair, 2, "\0"))[1];
        $sum = ($sum & 0xffff) + ($sum >> 16);
    }
    return ~$sum & 0xffff;
}

/** Waits for the answer to one question; null if it does not come in time. */
function answer(Socket $socket, bool $raw, int $id, int $sequence, int $begin): ?float
{
    while (true) {
        // Other packets may come meanwhile, so every wait is for what is left of the time.
        $left = PATIENCE - (hrtime(true) - $begin) / 1e9;
        if ($left < 1e-6) {
            return null;
        }
        $timeval = ['sec' => (int) $left, 'usec' => (int) (fmod($left, 1) * 1e6)];
        socket_set_option($socket, SOL_SOCKET, SO_RCVTIMEO, $timeval);
        $length = @socket_recvfrom($socket, $data, 1500, 0, $from, $port);
        if ($length === false) {
            $code = socket_last_error($socket);
            if ($code === SOCKET_EAGAIN || $code === SOCKET_EINTR) {
                continue;
            }
            trigger_error(error_get_last()['message']);
        }
        $time = (hrtime(true) - $begin) / 1e9;
        // A raw socket gets the IP header too. Its length, in words of four bytes, is in the low half of its first byte.
        $header = $raw ? (ord($data[0] ?? "\0") & 15) * 4 : 0;
        // Any host may send us anything: a packet that is too short is no answer.
        if (strlen($data) >= $header + 8) {
            $reply = unpack('Ctype/Ccode/nchecksum/nid/nsequence', $data, $header);
            // The kernel gives the datagram socket an identifier of its own.
            $ours = !$raw || $reply['id'] === $id;
            if ($reply['type'] === ECHO_REPLY && $ours && $reply['sequence'] === $sequence) {
                return $time;
            }
        }
    }
}
