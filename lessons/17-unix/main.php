<?php
// Lesson 17 · Unix sockets.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../folder.php';
require __DIR__ . '/../text.php';

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

echo "1. A stream, with a path for a name.\n";
$folder = private_folder('lesson-17');
$path = "$folder/socket";
$listener = socket_create(AF_UNIX, SOCK_STREAM, 0);
socket_bind($listener, $path);
// To write to the file is to connect: in a folder that others may enter, this would say who can.
chmod($path, 0600);
socket_listen($listener, 1);
socket_getsockname($listener, $name);
echo "   server: bound to $name\n";
printf("   its file has mode %o: only its owner may connect\n", fileperms($path) & 0777);
$client = socket_create(AF_UNIX, SOCK_STREAM, 0);
socket_connect($client, $path);
$connection = socket_accept($listener);
socket_write($client, 'Hello!');
echo "   server: received '", harmless(socket_read($connection, 1024)), "'\n";
socket_getpeername($connection, $name);
echo "   server: from '$name': the client has no name, for it was never bound\n";
socket_close($client);
socket_close($connection);
socket_close($listener);

echo "2. The file outlives its socket.\n";
$late = socket_create(AF_UNIX, SOCK_STREAM, 0);
if (@socket_connect($late, $path)) {
    echo "   client: connected\n";
} else {
    echo '   client: ', error_get_last()['message'], "\n";
}
if (@socket_bind($late, $path)) {
    echo "   server: bound\n";
} else {
    echo '   server: ', error_get_last()['message'], "\n";
}
unlink($path);
socket_bind($late, $path);
echo "   server: bound, once the file is removed\n";
socket_close($late);
unlink($path);

echo "3. Datagrams, with an abstract name: no file, nothing to remove.\n";
$name = "\0lesson-17-" . getmypid();
$server = socket_create(AF_UNIX, SOCK_DGRAM, 0);
socket_bind($server, $name);
$client = socket_create(AF_UNIX, SOCK_DGRAM, 0);
socket_connect($client, $name);
foreach (['one', 'two'] as $word) {
    socket_send($client, $word, strlen($word), 0);
}
for ($i = 0; $i < 2; $i++) {
    $length = socket_recvfrom($server, $data, 1024, 0, $from);
    echo "   server: received $length bytes: '", harmless($data), "'\n";
}
socket_close($client);
socket_close($server);

echo "4. A pair, between this program and a child.\n";
socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
[$ours, $theirs] = $pair;
// The child's end becomes its standard input and output. proc_open takes streams (lesson 24).
$end = socket_export_stream($theirs);
$child = proc_open(['tr', 'a-z', 'A-Z'], [$end, $end], $pipes);
// Our copy of the child's end. While it is open, no end of the stream comes.
fclose($end);
unset($theirs, $pair);
socket_write($ours, 'hello, child');
socket_shutdown($ours, 1);
echo "   parent: said 'hello, child', and that it will say no more\n";
echo "   parent: received '", harmless(socket_read($ours, 1024)), "'\n";
$rest = socket_read($ours, 1024);
echo "   parent: received '", harmless($rest), "', ", $rest === '' ? 'the end' : 'more', "\n";
echo '   parent: the child ended with ', proc_close($child), "\n";
socket_close($ours);
exit(0); // also if the reader has left (screen.php)
