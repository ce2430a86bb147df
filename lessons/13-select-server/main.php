<?php
// Lesson 13 · the select server.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fail($message);
});

// How many clients have a place. Few, so that you can see a full table; select itself ends at descriptor 1023.
const PLACES = 3;
// How many bytes a line may have. Without a bound, a line without end would eat the memory.
const LINE = 1024;
// How many bytes may wait for a client that does not read. It is dropped, for the same reason.
const WAITING = 65536;
// How long the listener rests when no client can be accepted, in nanoseconds.
const PAUSE = 1_000_000_000;

final class Client
{
    /** The part of a line that it has sent so far. */
    public string $input = '';
    public int $answers = 0;
    /** Why it leaves. It is not read from any more, and goes as soon as nothing waits for it. */
    public ?string $end = null;

    /** `$output`: what it has not been sent yet. */
    public function __construct(public Socket $socket, public string $output)
    {
    }

    /** Takes what has arrived, which may be part of a line or several, and has an answer ready for every whole one. */
    public function hear(): void
    {
        $data = @socket_read($this->socket, 1024);
        if ($data === false) {
            $this->fail();
            return;
        }
        $this->input .= $data;
        // The end of the stream ends the last line too.
        if ($data === '' && $this->input !== '') {
            $this->input .= "\n";
        }
        while (($end = strpos($this->input, "\n")) !== false && $end <= LINE) {
            $this->output .= 'OK ... ' . substr($this->input, 0, $end + 1);
            $this->input = substr($this->input, $end + 1);
            $this->answers++;
        }
        if (strlen($this->input) > LINE) {
            $this->output .= 'Goodbye, a line has at most ' . LINE . " bytes.\n";
            $this->end = 'dropped, its line has more than ' . LINE . ' bytes';
        } elseif ($data === '') {
            $this->end = "has gone, answers: $this->answers";
        }
        if (strlen($this->output) > WAITING) {
            $this->output = '';
            $this->end = 'dropped, more than ' . WAITING . ' bytes wait for it';
        }
    }

    /** Sends what the kernel takes. The rest waits until select reports it writable again. */
    public function speak(): void
    {
        $sent = @socket_write($this->socket, $this->output);
        if ($sent === false) {
            $this->fail();
        } else {
            $this->output = substr($this->output, $sent);
        }
    }

    /** A client that vanishes leaves the table; the server stays. That there is nothing to do yet is no failure. */
    private function fail(): void
    {
        if (socket_last_error($this->socket) !== SOCKET_EAGAIN) {
            $this->output = '';
            $this->end = error_get_last()['message'];
        }
    }
}

// make php-13 ARGS="ADDRESS PORT", or a port alone
[$address, $port] = address_and_port(5000);

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
// Without this the port would stay taken for a minute after the server has ended (lesson 14).
socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1);
socket_bind($listener, $address, $port);
socket_listen($listener, SOMAXCONN);
// A client may give up between select and accept; accept would then wait for the next, and all others with it.
socket_set_nonblock($listener);
socket_getsockname($listener, $here, $port);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-13 ARGS=\"$here $port\"\n";

$clients = [];
$number = 0;
$resting = null;
while (true) {
    // Whom to wait for: to read from, the clients that stay, and the listener, which has key 0.
    $admitting = $resting === null || hrtime(true) - $resting >= PAUSE;
    $read = $admitting ? [0 => $listener] : [];
    // To write to, only those for whom something waits: the others are writable, so select would never wait again.
    $write = [];
    foreach ($clients as $key => $client) {
        if ($client->end === null) {
            $read[$key] = $client->socket;
        }
        if ($client->output !== '') {
            $write[$key] = $client->socket;
        }
    }

    // The only place where this server waits. Afterwards the sets hold those that are ready, under their keys.
    $except = null;
    $seconds = $resting === null ? null : 1;
    if (@socket_select($read, $write, $except, $seconds) === false) {
        // A signal is no reason to end.
        if (socket_last_error() === SOCKET_EINTR) {
            continue;
        }
        fail(error_get_last()['message']);
    }

    $calling = false;
    foreach ($read as $key => $socket) {
        if (isset($clients[$key])) {
            $clients[$key]->hear();
        } else {
            $calling = true;
        }
    }
    foreach ($write as $key => $socket) {
        if ($clients[$key]->output !== '') {
            $clients[$key]->speak();
        }
    }

    // A client that has an end and has been sent everything leaves the table.
    foreach ($clients as $key => $client) {
        if ($client->end !== null && $client->output === '') {
            echo "client $key: $client->end\n";
            $resting = null;
            // In this order: after unset there is nothing left to close.
            hang_up($client->socket);
            socket_close($client->socket);
            unset($clients[$key]);
        }
    }

    if (!$calling) {
        continue;
    }
    $socket = @socket_accept($listener);
    if ($socket !== false) {
        $number++;
        $resting = null;
        // Otherwise a write to a client that does not read would wait, and all others with it.
        if (!@socket_set_nonblock($socket)) {
            echo "client $number: ", error_get_last()['message'], "\n";
            socket_close($socket);
        } elseif (count($clients) < PLACES) {
            echo "client $number: has come, ", count($clients) + 1, ' of ', PLACES, " places taken\n";
            $clients[$number] = new Client($socket, "Welcome, client $number! A line has at most " . LINE . " bytes.\n");
        } else {
            echo "client $number: turned away, ", PLACES, ' of ', PLACES, " places taken\n";
            // A new socket's send buffer takes a sentence. A client that has gone already misses nothing.
            $sorry = 'Sorry, all ' . PLACES . " places are taken.\n";
            while ($sorry !== '' && ($sent = @socket_write($socket, $sorry)) !== false) {
                $sorry = substr($sorry, $sent);
            }
            hang_up($socket);
            socket_close($socket);
        }
    } elseif (in_array(socket_last_error(), [SOCKET_EAGAIN, SOCKET_ECONNABORTED, SOCKET_EINTR], true)) {
        // The client gave up while it waited, or a signal came: neither may end a server.
        continue;
    } elseif ($clients) {
        // No descriptor is left, say. The client stays in the queue, so select would return at once, again and again:
        // the listener stays out of the set until a client leaves, or for a while.
        if ($resting === null) {
            echo error_get_last()['message'], "\n";
        }
        $resting = hrtime(true);
    } else {
        fail(error_get_last()['message']);
    }
}

function fail(string $message): never
{
    fwrite(STDERR, "Error: $message\n");
    exit(1);
}

/**
 * Says that no more comes, and takes what the client has said meanwhile: closing with bytes unread would be a reset, which
 * may overtake the sentence before it.
 */
function hang_up(Socket $client): void
{
    @socket_shutdown($client, 1);
    // Sixteen times at most, or a client that never ends could keep the server here.
    for ($i = 0; $i < 16; $i++) {
        if (!@socket_recv($client, $unread, 65536, MSG_DONTWAIT)) {
            break;
        }
    }
}
