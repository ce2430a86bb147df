<?php
// Lesson 19 · messages.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../folder.php';
require __DIR__ . '/../text.php';

// A warning ends the program, as `?` does in main.rs.
set_error_handler(function (int $level, string $message) {
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
[$ours, $theirs] = $pair;
unset($pair);
// The child is a copy of this process, so it has both ends; each closes the one that is not its own.
$process = pcntl_fork();
if ($process === 0) {
    socket_close($ours);
    child($theirs);
    exit(0);
}
socket_close($theirs);

echo "1. An open file, for another process.\n";
$folder = private_folder('lesson-19');
$path = "$folder/text";
// A new file (x): a warning if there is one already, or a link.
$new = fopen($path, 'x');
fwrite($new, 'written by the parent');
fclose($new);
$file = fopen($path, 'r');
unlink($path);
echo "   parent: has opened a file and removed its name: nobody can open it any more\n";
$control = [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [$file]]];
$iov = ['here it is'];
$sent = socket_sendmsg($ours, ['iov' => $iov, 'control' => $control], 0);
echo "   parent: sends $sent bytes, and beside them the descriptor\n";
// Ours may be closed now: the message has one of its own.
fclose($file);

echo "2. Who is at the other end? The kernel knows.\n";
socket_set_option($ours, SOL_SOCKET, SO_PASSCRED, 1);
// Buffers for the answer and for the control message beside it.
$space = socket_cmsg_space(SOL_SOCKET, SCM_CREDENTIALS);
$answer = ['buffer_size' => 1024, 'controllen' => $space];
// The child waits for this byte, so that it does not answer before the option is set.
socket_write($ours, '?');
socket_recvmsg($ours, $answer, 0);
echo "   parent: received '", harmless($answer['iov'][0]), "'\n";
foreach ($answer['control'] as $message) {
    if ($message['type'] === SCM_CREDENTIALS) {
        $sender = $message['data'];
        echo "   parent: it comes from process {$sender['pid']}, user {$sender['uid']}, group {$sender['gid']}\n";
        $isChild = $sender['pid'] === $process;
        echo '   parent: which is ', $isChild ? 'the child' : 'somebody else', "\n";
    }
}

echo "3. A connection, for another process.\n";
socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
[$client, $connection] = $pair;
unset($pair);
// A stream of a Socket has the same descriptor, and arrives as a Socket, too.
$passed = passes_sockets() ? $connection : socket_export_stream($connection);
$control = [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [$passed]]];
$sent = socket_sendmsg($ours, ['iov' => ['and this'], 'control' => $control], 0);
echo "   parent: sends $sent bytes, and beside them the server's end of a connection\n";
// Its stream goes with it.
socket_close($connection);
echo "   client: received '", harmless(socket_read($client, 1024)), "'\n";
socket_close($client);
socket_close($ours);
pcntl_waitpid($process, $status);
echo '   parent: the child ended with ', pcntl_wexitstatus($status), "\n";
exit(0); // also if the reader has left (screen.php)

/** Receives the file, reads it, and answers with its text; then serves the connection. */
function child(Socket $socket): void
{
    $space = socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1);
    $message = ['buffer_size' => strlen('here it is'), 'controllen' => $space];
    socket_recvmsg($socket, $message, 0);

    $contents = stream_get_contents($message['control'][0]['data'][0]);
    // The parent's byte, or the end. The rest of the message, if there is one, comes before it.
    while (!in_array(socket_read($socket, 1), ['?', ''], true));
    socket_write($socket, "I have read: $contents");

    $message = ['buffer_size' => strlen('and this'), 'controllen' => $space];
    socket_recvmsg($socket, $message, 0);
    socket_write($message['control'][0]['data'][0], 'Hello, the child serves you');
}

/** For a Socket PHP 8.4.27 sends its descriptor, and 8.2 and 8.5.7 descriptor 0. No version tells, so this sends one. */
function passes_sockets(): bool
{
    socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
    $control = [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [$pair[0]]]];
    socket_sendmsg($pair[0], ['iov' => ['?'], 'control' => $control], 0);
    $message = ['buffer_size' => 1, 'controllen' => socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)];
    socket_recvmsg($pair[1], $message, 0);
    $arrived = $message['control'][0]['data'][0];
    // Descriptor 0 may be a socket as well; no two have the same inode.
    $inode = fn (Socket $socket): int => fstat(socket_export_stream($socket))['ino'];
    return $arrived instanceof Socket && $inode($arrived) === $inode($pair[0]);
}
