<?php
// Lesson 15 · the epoll chat. Needs PHP's event extension.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';
require __DIR__ . '/../text.php';

if (!class_exists('EventBase')) {
    fwrite(STDERR, "This twin needs PHP's event extension (see README.md), or what stands in for it: make php-15\n");
    exit(1);
}

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fwrite(STDERR, "Error: $message\n");
    exit(1);
});

// How many bytes a line may have. More is taken for a line, for a line without end would eat the memory.
const LINE = 1024;
// How many bytes may wait for a client that does not read. It is dropped, for the same reason.
const WAITING = 256 * 1024;

final class Client
{
    /** It waits as long as it is here: PHP frees an event when the last variable that has it goes. */
    public Event $reading;
    /** Waits only while there is something to send: an idle socket is always writable, and the loop would spin. */
    public Event $writing;
    /** The part of a line that it has sent so far. */
    public string $input = '';

    /** @param string $output what it has not been sent yet */
    public function __construct(public Socket $socket, public string $output)
    {
    }

    /** Sends what the kernel takes; gives a reason if the client has to go. */
    public function send(): ?string
    {
        $sent = @socket_write($this->socket, $this->output);
        $code = socket_last_error($this->socket);
        if ($sent !== false) {
            $this->output = substr($this->output, $sent);
        } elseif (!in_array($code, [SOCKET_EAGAIN, SOCKET_EINTR], true)) {
            return 'is lost: ' . socket_strerror($code);
        }
        if (strlen($this->output) > WAITING) {
            return 'is dropped: it does not read';
        }
        $this->output === '' ? $this->writing->del() : $this->writing->add();
        return null;
    }
}

final class Room
{
    /** @var array<int, Client> */
    private array $clients = [];
    /** The number of the newest client. intval($socket) is no number: in PHP 8 it is 1 for every socket. */
    private int $last = 0;

    /** A client comes in: two events wait for it from now on. */
    public function enter(EventBase $base, Socket $socket): void
    {
        // Otherwise a write to a client that does not read would wait, and all others with it.
        socket_set_nonblock($socket);
        // A client whose cable is pulled sends no goodbye. After a minute of silence the kernel asks, three times.
        socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1);
        socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 60);
        socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 10);
        socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 3);

        $number = ++$this->last;
        $client = new Client($socket, "Welcome, client $number. Here with you: " . count($this->clients) . ".\n");
        $client->reading = new Event($base, $socket, Event::READ | Event::PERSIST, fn () => $this->hear($number));
        $client->reading->add();
        $client->writing = new Event($base, $socket, Event::WRITE | Event::PERSIST, fn () => $this->speak($number));

        $this->clients[$number] = $client;
        echo "client $number has come\n";
        $this->speak($number);
        $this->tell(clock() . " client $number has come\n", $number);
    }

    /** Something has arrived from a client. */
    private function hear(int $number): void
    {
        $client = $this->clients[$number];
        $data = @socket_read($client->socket, LINE);
        $code = socket_last_error($client->socket);
        if ($data === false) {
            if (!in_array($code, [SOCKET_EAGAIN, SOCKET_EINTR], true)) {
                $this->lose($number, 'is lost: ' . socket_strerror($code));
            }
            return;
        }
        $client->input .= $data;
        // The end of the stream ends the last line too.
        if ($data === '' && $client->input !== '') {
            $client->input .= "\n";
        }
        $news = '';
        while (true) {
            $end = strpos(substr($client->input, 0, LINE), "\n");
            if ($end === false && strlen($client->input) < LINE) {
                break;
            }
            // Not in the middle of a character.
            $length = $end === false ? whole(substr($client->input, 0, LINE)) : $end + 1;
            $line = substr($client->input, 0, $length);
            $client->input = substr($client->input, $length);
            // Control characters of one client could repaint the screens of all others.
            $text = harmless(rtrim($line, " \t\n\r\f"));
            $news .= clock() . " client $number: $text\n";
        }
        if ($news !== '') {
            $this->tell($news, $number);
        }
        // At its end a stream can be read for ever, and its event would fire for ever: the client has to go.
        if ($data === '') {
            $this->lose($number, 'has gone');
        }
    }

    /** A client is writable. Bytes that the kernel does not take wait for the event. */
    private function speak(int $number): void
    {
        $reason = $this->clients[$number]->send();
        if ($reason !== null) {
            $this->lose($number, $reason);
        }
    }

    /** All hear it but one. No client is waited for. One that cannot be written to is dropped, and the others are told. */
    public function tell(string $news, int $except): void
    {
        $queue = [[$news, $except]];
        while ($queue) {
            [$news, $except] = array_pop($queue);
            foreach ($this->clients as $number => $client) {
                if ($number === $except) {
                    continue;
                }
                $client->output .= $news;
                $reason = $client->send();
                if ($reason !== null) {
                    $this->remove($number);
                    echo "client $number $reason\n";
                    $queue[] = [clock() . " client $number $reason\n", $number];
                }
            }
        }
    }

    /** A client leaves the chat, and with it go its events and its socket. */
    private function lose(int $number, string $reason): void
    {
        if (isset($this->clients[$number])) {
            $this->remove($number);
            echo "client $number $reason\n";
            $this->tell(clock() . " client $number $reason\n", $number);
        }
    }

    /** All clients leave, and hear nothing of it. */
    public function close(): void
    {
        array_map($this->remove(...), array_keys($this->clients));
    }

    private function remove(int $number): void
    {
        $client = $this->clients[$number];
        unset($this->clients[$number]);
        $client->reading->free();
        $client->writing->free();
        socket_close($client->socket);
    }
}

/** The time of day, UTC. */
function clock(): string
{
    return gmdate('[H:i:s]');
}

// make php-15 ARGS="ADDRESS PORT", or a port alone
[$address, $port] = address_and_port(9999);

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
// Without this the port would stay taken for a minute after the server has ended (lesson 14).
socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1);
socket_bind($listener, $address, $port);
socket_listen($listener, SOMAXCONN);
// A client may give up between event and accept; accept would then wait for the next, and all others with it.
socket_set_nonblock($listener);
socket_getsockname($listener, $here, $port);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-15 ARGS=\"$here $port\"\n";

$base = new EventBase();
$room = new Room();
$door = new Event($base, $listener, Event::READ | Event::PERSIST, function () use ($base, $listener, $room) {
    $client = @socket_accept($listener);
    if ($client !== false) {
        $room->enter($base, $client);
        return;
    }
    // The client gave up while it waited, or a signal came: the chat stays open.
    if (!in_array(socket_last_error(), [SOCKET_EAGAIN, SOCKET_ECONNABORTED, SOCKET_EINTR], true)) {
        echo error_get_last()['message'], "\n";
        // No descriptor is left, say. The client stays in the queue, and asking again at once would spin.
        $base->stop();
    }
});
$door->add();
$leaving = Event::signal($base, SIGINT, fn () => $base->exit());
$leaving->add();

// stop() leaves the loop at once, exit() after this round: the first is our pause, the second the end.
$pause = Event::timer($base, fn () => $door->add());
// However the script ends, its events go before their base: the extension would use the base's memory after it is freed.
register_shutdown_function(function () use ($room, $door, $leaving, $pause) {
    $room->close();
    array_map(fn (Event $event) => $event->free(), [$door, $leaving, $pause]);
});
$base->dispatch();
while ($base->gotStop()) {
    $door->del();
    $pause->add(1);
    $base->dispatch();
}
$room->tell("The room closes.\n", 0);
exit(0); // also if the reader has left (screen.php)
