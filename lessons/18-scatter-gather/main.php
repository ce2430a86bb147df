<?php
// Lesson 18 · scatter and gather. PHP lost its iovec functions after version 4; its messages have an array of parts
// instead (lesson 19). Sending gathers them, receiving knows one buffer only, which is cut here by hand.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../text.php';

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
[$sender, $receiver] = $pair;

echo "1. Gather: a message of two parts, sent with one call.\n";
$body = 'Hello, vector';
// The header says how long the body is, in eight digits.
$header = sprintf('%08d', strlen($body));
$message = [$header];
$message[] = $body;
echo "   sender:   header '$header', body '$body'\n";
$sent = socket_sendmsg($sender, ['iov' => $message]);
echo "   sender:   $sent bytes with one system call; nobody has put them together before\n";

echo "2. Scatter: received into two buffers, with one call.\n";
// PHP wants a buffer for control messages (lesson 19), though none come.
$buffers = ['buffer_size' => 8 + 1024, 'controllen' => 32];
$count = socket_recvmsg($receiver, $buffers);
[$header, $body] = [substr($buffers['iov'][0], 0, 8), substr($buffers['iov'][0], 8)];
echo "   receiver: $count bytes\n";
echo "   receiver: header '", harmless($header), "'\n";
echo "   receiver: body '", harmless($body), "'\n";

echo "3. Elements are replaced, added and deleted.\n";
$message[0] = '00000003';
$message[1] = 'one';
$message[] = '';
$message[2] = '(a trailer)';
unset($message[2]);
$sent = socket_sendmsg($sender, ['iov' => $message]);
echo "   sender:   $sent bytes: the trailer was added, and deleted again\n";
$message[1] = 'two';
$more = socket_sendmsg($sender, ['iov' => $message]);
echo "   sender:   $more bytes more\n";

echo "4. A stream has no records, so take no more than the header and its body.\n";
$left = $sent + $more;
while ($left > 0) {
    // Less could come than the buffers hold, as with every read: on a network this would need another loop.
    $buffers = ['buffer_size' => 8 + 3, 'controllen' => 32];
    $count = socket_recvmsg($receiver, $buffers);
    $left -= $count;
    [$header, $body] = [substr($buffers['iov'][0], 0, 8), substr($buffers['iov'][0], 8)];
    echo "   receiver: $count bytes, body '", harmless($body), "'\n";
}
echo isset($buffers['iov'][2])
    ? "   receiver: a third element '" . harmless($buffers['iov'][2]) . "'\n"
    : "   receiver: there is no third element\n";

socket_close($sender);
socket_close($receiver);
exit(0); // also if the reader has left (screen.php)
