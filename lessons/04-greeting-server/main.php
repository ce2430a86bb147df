<?php
// Lesson 04 · the greeting server.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';
require __DIR__ . '/../text.php';

const CLIENTS = 5;
// In bytes. Without a bound, a line without end would fill the memory.
const LONGEST = 1024;

// A warning is thrown; uncaught, it ends the program, as `?` does in main.rs.
set_error_handler(fn (int $level, string $message) => throw new ErrorException($message, socket_last_error()), E_WARNING);
set_exception_handler(function (Throwable $error) {
    fwrite(STDERR, "Error: {$error->getMessage()}\n");
    exit(1);
});

// make php-04 ARGS="ADDRESS PORT SECONDS", or a port alone
[$address, $port, $rest] = address_and_port(1935);
$seconds = $rest[0] ?? 60;
if (!preg_match('/^\+?\d+\z/', $seconds) || $seconds < 1 || $seconds > 255) {
    fwrite(STDERR, "The seconds for a line have to be a number from 1 to 255.\n");
    exit(1);
}

if ($address === '0.0.0.0') {
    // The short form: create, bind to every address of this machine, listen.
    $listener = socket_create_listen($port, SOMAXCONN);
} else {
    $listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1);
    socket_bind($listener, $address, $port);
    socket_listen($listener, SOMAXCONN);
}
socket_getsockname($listener, $here, $port);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-04 ARGS=\"$here $port\"\n";
echo "See it listen: ss -ltn 'sport = :$port'\n";

$number = 0;
while ($number < CLIENTS) {
    try {
        $client = socket_accept($listener);
    } catch (ErrorException $error) {
        // A client gave up in the queue, or a signal came: no reason to end.
        if (in_array($error->getCode(), [SOCKET_ECONNABORTED, SOCKET_EINTR], true)) {
            continue;
        }
        throw $error;
    }
    $number++;
    try {
        $text = serve($client, $number, $seconds);
        echo $text === '' ? "client $number says nothing\n" : "client $number says: $text\n";
    } catch (ErrorException $error) {
        // A client that vanishes ends its own conversation, not the server.
        echo "client $number is lost: {$error->getMessage()}\n";
    }
    hang_up($client);
}
socket_close($listener);
echo CLIENTS . " clients have come: the server ends\n";
exit(0); // also if the reader has left (screen.php)

/** Greets a client, and reads its message: a line, or as much of it as comes. */
function serve(Socket $client, int $number, int $patience): string
{
    $greeting = "Hello, client $number of " . CLIENTS . ". Say one line.\n";
    // One write may take less than all of it.
    while ($greeting !== '') {
        $sent = socket_write($client, $greeting);
        $greeting = substr($greeting, $sent);
    }

    // Without a limit, a client that says nothing would hold up all others for ever (lesson 14).
    socket_set_option($client, SOL_SOCKET, SO_RCVTIMEO, ['sec' => $patience, 'usec' => 0]);
    $begin = hrtime(true);
    $message = '';
    // A read brings what has arrived: half a line, or three. So read until there is the end of a line, or enough.
    while (!str_contains($message, "\n") && strlen($message) < LONGEST && hrtime(true) - $begin < $patience * 1e9) {
        try {
            $data = socket_read($client, LONGEST - strlen($message));
        } catch (ErrorException $error) {
            // A signal, as when Ctrl-Z and fg have stopped and continued the server: read again.
            if ($error->getCode() === SOCKET_EINTR) {
                continue;
            }
            throw $error;
        }
        // The end of the stream (''), or the time is up: false, and of SOCKET_EAGAIN PHP does not warn.
        if ($data === '' || $data === false) {
            break;
        }
        $message .= $data;
    }
    // Break it: uncomment the next line, which prints bytes of the network as they are.
    // echo "client $number says: $message\n";
    $line = explode("\n", $message)[0];
    if (strlen($line) >= LONGEST) {
        // The limit may have cut a character in two.
        $line = substr($line, 0, whole($line));
    }
    // Control characters could repaint the screen of the person who watches the server.
    return harmless(str_ends_with($line, "\r") ? substr($line, 0, -1) : $line);
}

/**
 * Closes once the client has closed, or after a second. Closing while bytes of the client are unread would reset the
 * connection: the client would see an error, where its stream ends.
 */
function hang_up(Socket $client): void
{
    try {
        // The client reads the end of the stream, and can still send (lesson 22).
        socket_shutdown($client, 1);
        socket_set_option($client, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 1, 'usec' => 0]);
        $begin = hrtime(true);
        do {
            $data = socket_read($client, LONGEST);
        } while (hrtime(true) - $begin < 1e9 && $data !== '' && $data !== false);
    } catch (ErrorException) {
        // If it has vanished, so much the better.
    }
    socket_close($client);
}
