<?php
// Lesson 03 · the conversation.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../text.php';

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

// Colours are for a terminal, and only for a reader who has not set NO_COLOR.
$wanted = stream_isatty(STDOUT) && (string) getenv('NO_COLOR') === '';
[$bold, $green, $magenta, $plain] =
    $wanted ? ["\x1b[1m", "\x1b[1;32m", "\x1b[1;35m", "\x1b[0m"] : ['', '', '', ''];

// A step is two lines: the call, and what came of it. Left is the server, right is the client.
$gap = str_repeat(' ', 34);
$left = fn ($call, $outcome) => print "$green$call$plain\n  $outcome\n";
$right = fn ($call, $outcome) => print "$gap$magenta$call$plain\n$gap  $outcome\n";
// Where something travels to the other side, an arrow joins what came of it.
$leftSends = fn ($call, $what) => print
    "$green$call$plain\n  $what $green---------------------->$plain\n";
$rightSends = fn ($call, $what) => printf(
    "$gap$magenta$call$plain\n%11s$magenta<----------------------$plain  $what\n", '');
$title = fn ($text) => print "\n$bold$text$plain\n";
$quoted = fn ($data) => strlen($data) . " bytes: '$data'";

echo "One program plays both ends of a TCP conversation, one call after the other.\n\n";
printf("{$green}SERVER$plain%28s{$magenta}CLIENT$plain\n", '');

$title('1. The server gets an address and listens.');
$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
$left('socket_create(AF_INET, SOCK_STREAM, SOL_TCP)', 'listener: a TCP socket, no address yet');
socket_bind($listener, '127.0.0.1', 0);
$left("socket_bind(listener, '127.0.0.1', 0)", 'this machine only; port 0 means any free port');
socket_listen($listener, 1);
$left('socket_listen(listener, 1)', 'from now on the kernel lets clients queue here');
socket_getsockname($listener, $here, $port);
$left('socket_getsockname(listener)', "the kernel chose $here:$port");

$title('2. The client connects. Its connection waits in the queue for the server.');
$client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
$right('socket_create(AF_INET, SOCK_STREAM, SOL_TCP)', 'client: a TCP socket, no address yet');
socket_connect($client, '127.0.0.1', $port);
$rightSends("socket_connect(client, '127.0.0.1', $port)", 'connected');
socket_getsockname($client, $there, $itsPort);
$right('socket_getsockname(client)', "the kernel chose $there:$itsPort");
$connection = socket_accept($listener);
$left('socket_accept(listener)', 'connection: a new socket, for this client alone');

$title('3. A question and an answer.');
$sent = socket_write($client, 'Hello, server!');
$rightSends("socket_write(client, 'Hello, server!')", "$sent bytes");
$data = socket_read($connection, 1024);
$left('socket_read(connection, 1024)', $quoted($data));
$sent = socket_write($connection, 'Hello, client!');
$leftSends("socket_write(connection, 'Hello, client!')", "$sent bytes");
$data = socket_read($client, 1024);
$right('socket_read(client, 1024)', $quoted($data));

$title('4. Two writes, one read: a stream has no mark where a write ended.');
$sent = socket_write($client, 'one, ');
$rightSends("socket_write(client, 'one, ')", "$sent bytes");
$more = socket_write($client, 'two');
$rightSends("socket_write(client, 'two')", "$more bytes");
// Reading at once might find the first write alone. So look first, taking nothing, until all 8 bytes are here:
// socket_recv with MSG_PEEK and MSG_WAITALL, which lesson 07 explains.
$waiting = socket_recv($connection, $seen, $sent + $more, MSG_PEEK | MSG_WAITALL);
$left('socket_recv(connection, ' . $sent + $more . ', MSG_PEEK | MSG_WAITALL)', "$waiting bytes, none taken yet");
$data = socket_read($connection, 1024);
$left('socket_read(connection, 1024)', $quoted($data));

$title('5. One write, two reads: the rest waits for the next read.');
$sent = socket_write($connection, 'three, and four');
$leftSends("socket_write(connection, 'three, and four')", "$sent bytes");
$data = socket_read($client, 9);
$right('socket_read(client, 9)', $quoted($data));
// Where nothing is left, the next read would wait for ever.
if (strlen($data) < $sent) {
    $data = socket_read($client, 1024);
    $right('socket_read(client, 1024)', $quoted($data));
}

$title('6. The client hangs up. The server reads the end of the stream.');
socket_close($client);
$rightSends('socket_close(client)', 'no more bytes will come');
$data = socket_read($connection, 1024);
$left('socket_read(connection, 1024)', "{$quoted($data)}, the end of the stream");
socket_close($connection);
$left('socket_close(connection)', 'this conversation is over');
socket_close($listener);
$left('socket_close(listener)', "nobody listens on port $port any more");

echo "\nNext: lessons/03-the-conversation/README.md, then lessons 01, 02, 04 and so on.\n";
echo "For one evening: lessons 03, 04, 06, 10, 13, 22.\n";
exit(0); // also if the reader has left (screen.php)
