<?php
// Lesson 12 · threads. PHP has none, so each client gets a process: a copy of this one, made by fork.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fail($message);
});

// How many clients may be here at once. Without a bound, a client that connects often enough takes all the memory.
const MOST = 3;

// make php-12 ARGS="ADDRESS PORT", or a port alone
[$address, $port] = address_and_port(5000);

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
// Without this the port would stay taken for a minute after the server has ended (lesson 14).
socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1);
socket_bind($listener, $address, $port);
socket_listen($listener, SOMAXCONN);
socket_getsockname($listener, $here, $port);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-12 ARGS=\"$here $port\"\n";

// Clients that have gone free their places. A child that is not waited for stays in the table of processes, as a zombie.
// `false`: the signal also ends an accept that waits, or PHP would call this only after the next client has come.
$children = 0;
pcntl_async_signals(true);
pcntl_signal(SIGCHLD, function () use (&$children) {
    while (pcntl_waitpid(-1, $status, WNOHANG) > 0) {
        $children--;
    }
}, false);

$number = 0;
while (true) {
    $client = @socket_accept($listener);
    if ($client === false) {
        // The client gave up while it waited, or a signal came: neither may end a server.
        if (in_array(socket_last_error(), [SOCKET_ECONNABORTED, SOCKET_EINTR], true)) {
            continue;
        }
        // No descriptor is left, say, or no memory. That is no reason to end those who are served. The client stays
        // in the queue; asking again at once, and for ever, would spin.
        echo error_get_last()['message'], "\n";
        usleep(200_000);
        continue;
    }
    $number++;

    // A child that has said goodbye may not have ended yet: it gets a moment, unless others wait in the queue.
    for ($i = 0; $i < 50 && $children >= MOST && !a_client_waits($listener); $i++) {
        usleep(1000);
    }
    if ($children >= MOST) {
        echo "client $number: turned away, ", MOST, " are here\n";
        turn_away($client, 'Sorry, ' . MOST . " clients are here already. Come back later.\n");
        socket_close($client);
        continue;
    }

    // Counted before it exists: it may have ended before fork returns here.
    $children++;
    $begin = hrtime(true);
    $child = @pcntl_fork();
    if ($child === 0) {
        // Here is the child. It shares all memory until one of the two writes to it: its own is what it has written.
        [$time, $memory] = [intdiv(hrtime(true) - $begin, 1000), private_memory()];
        // Its copy of the listener would keep the port taken after the parent has ended.
        socket_close($listener);
        echo "client $number: has come; ready in $time microseconds, $memory KiB of its own\n";
        try {
            $answers = serve($client);
            echo "client $number: has gone, answers: $answers\n";
        } catch (ErrorException $error) {
            // A client that vanishes ends its own conversation, not the server.
            echo "client $number: {$error->getMessage()}\n";
        }
        exit(0);
    }
    if ($child === -1) {
        $children--;
        echo "client $number: turned away, no process: ", pcntl_strerror(pcntl_get_last_error()), "\n";
        turn_away($client, "Sorry, the server is busy. Come back later.\n");
    }
    // The parent's copy: while it is open, the client does not see the end of the stream, whatever the child closes.
    socket_close($client);
}

/** Answers whatever arrives, until the end of the stream. Only this client's process waits here. */
function serve(Socket $client): int
{
    // Here a warning is thrown, for the caller to catch.
    set_error_handler(fn (int $level, string $message) => throw new ErrorException($message), E_WARNING);
    for ($answers = 0; ; $answers++) {
        $data = socket_read($client, 1024);
        if ($data === '') {
            return $answers;
        }
        // One write may take less than all of it.
        for ($answer = "OK ... $data"; $answer !== ''; $answer = substr($answer, $sent)) {
            $sent = socket_write($client, $answer);
        }
    }
}

/** Whether accept would return at once (lesson 13). */
function a_client_waits(Socket $listener): bool
{
    [$read, $write, $except] = [[$listener], null, null];
    return @socket_select($read, $write, $except, 0) > 0;
}

/**
 * Says one sentence and no more, and takes what the client has said meanwhile: closing with bytes unread would be a
 * reset, which may overtake the sentence. Nothing here waits, and a client that has gone already misses nothing.
 */
function turn_away(Socket $client, string $sentence): void
{
    // A new socket's send buffer takes a sentence.
    while ($sentence !== '' && ($sent = @socket_write($client, $sentence)) !== false) {
        $sentence = substr($sentence, $sent);
    }
    @socket_shutdown($client, 1);
    // Sixteen times at most, or a client that never ends could keep the server here.
    for ($i = 0; $i < 16; $i++) {
        if (!@socket_recv($client, $unread, 65536, MSG_DONTWAIT)) {
            break;
        }
    }
}

/** The memory that this process shares with no other, in KiB; 0 if the kernel does not say. */
function private_memory(): int
{
    preg_match('/^Private_Dirty: +(\d+) kB/m', (string) @file_get_contents('/proc/self/smaps_rollup'), $found);
    return (int) ($found[1] ?? 0);
}

function fail(string $message): never
{
    fwrite(STDERR, "Error: $message\n");
    exit(1);
}
