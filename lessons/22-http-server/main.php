<?php
// Lesson 22 · the HTTP server.

require __DIR__ . '/../screen.php'; // echo, for a pipe whose reader may leave
require __DIR__ . '/../arguments.php';

// A warning ends the program, as `?` does in main.rs; @ says that the next lines look for themselves.
set_error_handler(function (int $level, string $message) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    fail($message);
});

// How many clients have a place. The next ones wait in the kernel's queue; select itself ends at descriptor 1023.
const PLACES = 500;
// How many bytes a request's line and headers may have. Without a bound, a header without end would eat the memory.
const HEAD = 8192;
// How many bytes a request's body may have. It is thrown away, for nothing here takes one.
const BODY = 65536;
// How many bytes a client may still send after its last answer.
const REST = 1 << 20;
// How long the listener rests when no client can be accepted, in nanoseconds.
const PAUSE = 1_000_000_000;

const OK = '200 OK';
const BAD = '400 Bad Request';
const FORBIDDEN = '405 Method Not Allowed';

// It is read once, before the first request.
define('PICTURE', file_get_contents(__DIR__ . '/picture.svg'));

final class Client
{
    /** The part of a request that it has sent so far. */
    public string $input = '';
    /** How many bytes of a request's body are still to come. */
    public int $body = 0;
    /** Output that it has not been sent yet: one answer at most. */
    public string $output = '';
    public int $answers = 0;
    /** No answer follows the one it has got. Bytes that it still sends are counted and thrown away. */
    public bool $last = false;
    public int $rest = 0;
    /** When its time began to run, in nanoseconds: it has come, or an answer was ready. */
    public int $since;
    /** Why it leaves. */
    public ?string $end = null;

    public function __construct(public int $number, public Socket $socket, public string $name)
    {
        $this->since = hrtime(true);
    }

    /** Takes what has arrived, which may be part of a request or several. */
    public function hear(): void
    {
        $data = @socket_read($this->socket, 4096);
        if ($data === false) {
            $this->fail();
        } elseif ($data === '') {
            $this->end = "has gone, answers: $this->answers";
        } elseif ($this->last) {
            $this->rest += strlen($data);
            if ($this->rest > REST) {
                $this->end = "dropped, it sends on and on, answers: $this->answers";
            }
        } else {
            $this->input .= $data;
        }
    }

    /** The next request, if it is whole and the answer to the one before has been sent. */
    public function request(): ?Request
    {
        if ($this->last || $this->end !== null || $this->output !== '') {
            return null;
        }
        $body = min($this->body, strlen($this->input));
        $this->body -= $body;
        // Empty lines before a request do no harm.
        $this->input = ltrim(substr($this->input, $body), "\r\n");

        $length = head_length($this->input);
        if ($length !== null && $length <= HEAD) {
            $request = new Request(substr($this->input, 0, $length));
            $this->input = substr($this->input, $length);
        } elseif ($length === null && strlen($this->input) <= HEAD) {
            return null;
        } else {
            $request = new Request($this->input, '431 Request Header Fields Too Large');
        }
        $this->body = $request->length;
        return $request;
    }

    public function say(Request $request, string $kind, string $body): void
    {
        echo "client $this->number: $request->line: $request->status\n";
        $answer = "HTTP/1.1 $request->status\r\nContent-Type: $kind\r\nContent-Length: " . strlen($body) . "\r\n";
        $answer .= $request->status === FORBIDDEN ? "Allow: GET, HEAD\r\n" : '';
        $answer .= $request->last ? "Connection: close\r\n\r\n" : "\r\n";
        $answer .= $request->headOnly ? '' : $body;
        $this->output = $answer;
        $this->last = $request->last;
        $this->answers++;
        $this->since = hrtime(true);
    }

    /** Sends what the kernel takes. The rest waits until select reports it writable again. */
    public function speak(): void
    {
        $sent = @socket_write($this->socket, $this->output);
        if ($sent === false) {
            $this->fail();
            return;
        }
        $this->output = substr($this->output, $sent);
        if ($this->last && $this->output === '') {
            // Closing while it still sends would answer it with a reset, which may take the answer away from it. Its
            // end is awaited instead, for a bounded time and amount.
            if (!@socket_shutdown($this->socket, 1)) {
                $this->fail();
            }
            $this->since = hrtime(true);
        }
    }

    /** Its time is over. A client that has begun a request is told so. */
    public function tire(): void
    {
        $begun = $this->body > 0 || $this->input !== '';
        if ($begun && !$this->last && $this->output === '') {
            $this->say(new Request($this->input, '408 Request Timeout'), 'text/plain', "408 Request Timeout\n");
        } else {
            $this->end = "dropped, its time is over, answers: $this->answers";
        }
    }

    /** A client that vanishes leaves the table; the server stays. That there is nothing to do yet is no failure. */
    private function fail(): void
    {
        if (socket_last_error($this->socket) !== SOCKET_EAGAIN) {
            $this->end = error_get_last()['message'];
        }
    }
}

final class Request
{
    /** Its first line, for the screen. */
    public string $line;
    public string $path = '';
    /** How many bytes of body follow it. */
    public int $length = 0;
    /** HEAD asks for the headers alone. */
    public bool $headOnly;
    public bool $last = true;

    /** With a status it is answered with an error, and is the last. */
    public function __construct(string $head, public ?string $status = null)
    {
        // Control characters from the network could repaint the screen, and others do not belong here.
        $this->line = preg_replace('/[^ -~]/', '?', substr($head, 0, min(60, strcspn($head, "\r\n"))));
        $this->headOnly = str_starts_with($head, 'HEAD ');
        if ($status === null) {
            $this->status = $this->judge($head);
            // After any other error it is unknown where the next request would begin.
            $this->last = $this->last || !in_array($this->status, [OK, FORBIDDEN], true);
        }
    }

    /** Takes a request line and headers to pieces. */
    private function judge(string $head): string
    {
        $lines = preg_split('/\r?\n/', $head, -1, PREG_SPLIT_NO_EMPTY);
        $words = explode(' ', array_shift($lines));
        if (count($words) !== 3) {
            return BAD;
        }
        [$method, $target, $version] = $words;
        if (!str_starts_with($version, 'HTTP/') || !ctype_alpha($method)) {
            return BAD;
        }
        if (!in_array($version, ['HTTP/1.0', 'HTTP/1.1'], true)) {
            return '505 HTTP Version Not Supported';
        }
        if (preg_match('/[\x00-\x1f\x7f]/', $target)) {
            return BAD;
        }

        $this->last = $version === 'HTTP/1.0';
        [$hosts, $length, $coded] = [0, null, false];
        foreach ($lines as $line) {
            [$name, $value] = explode(':', $line, 2) + [1 => null];
            if ($value === null || $name === '' || strpbrk($name, " \t") || preg_match('/[\x00-\x08\x0a-\x1f\x7f]/', $line)) {
                return BAD;
            }
            $value = trim($value, " \t");
            switch (strtolower($name)) {
                case 'host':
                    $hosts++;
                    break;
                case 'content-length':
                    // Two lengths: the one that counts for us might not be the one that counts for a proxy before us.
                    if ($length !== null) {
                        return BAD;
                    }
                    $length = $value;
                    break;
                case 'transfer-encoding':
                    $coded = true;
                    break;
                case 'connection':
                    $options = array_map(fn ($option) => strtolower(trim($option, " \t")), explode(',', $value));
                    $this->last = $this->last || in_array('close', $options, true);
                    break;
            }
        }
        $length ??= '0';
        if ($hosts > 1 || ($hosts === 0 && $version === 'HTTP/1.1') || !ctype_digit($length)) {
            return BAD;
        }
        if ($coded) {
            return '501 Not Implemented';
        }
        // A number that does not fit becomes the largest that does, which is too large, too.
        $this->length = (int) $length;
        if ($this->length > BODY) {
            return '413 Content Too Large';
        }
        if (!in_array($method, ['GET', 'HEAD'], true)) {
            return FORBIDDEN;
        }
        // A proxy's form, http://host/path, is to be understood as well. The part behind a ? is for programs.
        $path = $target;
        if (str_starts_with($target, 'http://')) {
            $path = strstr(substr($target, 7), '/') ?: '/';
        }
        if (!str_starts_with($path, '/')) {
            return BAD;
        }
        $this->path = explode('?', $path)[0];
        return OK;
    }
}

// make php-22 ARGS="ADDRESS PORT SECONDS", or a port alone
[$address, $port, $rest] = address_and_port(8080);
// How long a client may take for a request. Without a bound, those who never end one would fill the table.
$seconds = $rest[0] ?? 30;
if (!preg_match('/^\+?\d+\z/', $seconds) || $seconds < 1 || $seconds > 3600) {
    fwrite(STDERR, "The seconds have to be a number from 1 to 3600.\n");
    exit(1);
}
$patience = $seconds * 1_000_000_000;

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
// Without this the port would stay taken for a minute after the server has ended (lesson 14).
socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1);
socket_bind($listener, $address, $port);
socket_listen($listener, SOMAXCONN);
// A client may give up between select and accept; accept would then wait for the next, and all others with it.
socket_set_nonblock($listener);
socket_getsockname($listener, $here, $port);
echo "Listening on $here:$port\n";
echo "Second terminal: make client-22 ARGS=\"$here $port\"\n";
echo "Or in a browser: http://$here:$port/\n";

$clients = [];
$number = 0;
$resting = null;
while (true) {
    // A client is in one of the sets: while its answer waits to be sent, no more requests are taken from it.
    $admitting = $resting === null || hrtime(true) - $resting >= PAUSE;
    $read = $admitting && count($clients) < PLACES ? [0 => $listener] : [];
    $write = [];
    foreach ($clients as $key => $client) {
        if ($client->output === '') {
            $read[$key] = $client->socket;
        } else {
            $write[$key] = $client->socket;
        }
    }

    // The only place where this server waits, until a client's time is over, or without end if there is no client.
    $left = $resting === null ? null : PAUSE;
    foreach ($clients as $client) {
        $left = min($left ?? $patience, max(0, $client->since + $patience - hrtime(true)));
    }
    $except = null;
    $seconds = $left === null ? null : intdiv($left, 1_000_000_000);
    $microseconds = $left === null ? 0 : intdiv($left % 1_000_000_000, 1000) + 1;
    if (@socket_select($read, $write, $except, $seconds, $microseconds) === false) {
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
            answer($clients, $key);
        } else {
            $calling = true;
        }
    }
    foreach ($write as $key => $socket) {
        $clients[$key]->speak();
        // Another request may have come together with the one whose answer has just been sent.
        answer($clients, $key);
    }
    foreach ($clients as $client) {
        if ($client->end === null && hrtime(true) - $client->since >= $patience) {
            $client->tire();
        }
    }

    // A client that has an end leaves the table.
    foreach ($clients as $key => $client) {
        if ($client->end !== null) {
            echo "client $key: $client->end\n";
            $resting = null;
            // In this order: after unset there is nothing left to close.
            socket_close($client->socket);
            unset($clients[$key]);
        }
    }

    // All who wait, not one in each round: a round takes its time while many are served.
    while ($calling && count($clients) < PLACES) {
        $socket = @socket_accept($listener);
        if ($socket !== false) {
            $number++;
            $resting = null;
            // Otherwise a write to a client that does not read would wait, and all others with it.
            if (!@socket_set_nonblock($socket)) {
                echo "client $number: ", error_get_last()['message'], "\n";
                socket_close($socket);
                continue;
            }
            // A client that has vanished already has no name any more.
            $name = @socket_getpeername($socket, $address, $port) ? "$address:$port" : 'nowhere';
            echo "client $number: has come from $name\n";
            $clients[$number] = new Client($number, $socket, $name);
        } elseif (socket_last_error() === SOCKET_EAGAIN) {
            $calling = false;
        } elseif (in_array(socket_last_error(), [SOCKET_ECONNABORTED, SOCKET_EINTR], true)) {
            // The client gave up while it waited, or a signal came: neither may end a server.
            continue;
        } elseif ($clients) {
            // No descriptor is left, say. The client stays in the queue, so select would return at once, again and
            // again: the listener stays out of the set until a client leaves, or for a while.
            if ($resting === null) {
                echo error_get_last()['message'], "\n";
            }
            [$calling, $resting] = [false, hrtime(true)];
        } else {
            fail(error_get_last()['message']);
        }
    }
}

/** Has an answer ready, if a whole request has come. */
function answer(array $clients, int $key): void
{
    $request = $clients[$key]->request();
    if ($request === null) {
        return;
    }
    // A table of what there is: no path from the network ever becomes the name of a file.
    if ($request->status === OK && $request->path === '/') {
        [$kind, $body] = ['text/html; charset=utf-8', page($clients, $key)];
    } elseif ($request->status === OK && $request->path === '/picture.svg') {
        [$kind, $body] = ['image/svg+xml', PICTURE];
    } else {
        $request->status = $request->status === OK ? '404 Not Found' : $request->status;
        [$kind, $body] = ['text/plain', "$request->status\n"];
    }
    $clients[$key]->say($request, $kind, $body);
}

/** The page: who is connected. Nothing in it comes from a client; what does would have to be escaped. */
function page(array $clients, int $you): string
{
    $page = "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Lesson 22</title>\n"
        . "<h1>Who is connected</h1>\n<img src=\"/picture.svg\" alt=\"A plug and its socket\" width=\"240\">\n<ul>\n";
    foreach ($clients as $key => $client) {
        $page .= "<li>client $key, $client->name, answers: $client->answers" . ($key === $you ? ' (you)' : '') . "\n";
    }
    return "$page</ul>\n";
}

/** How long a request's line and headers are, with the empty line that ends them; null if it has not come yet. */
function head_length(string $input): ?int
{
    // Lines end with CR LF. A bare LF is taken as well, for people type that.
    $found = preg_match('/\n\r?\n/', $input, $match, PREG_OFFSET_CAPTURE);
    return $found ? $match[0][1] + strlen($match[0][0]) : null;
}

function fail(string $message): never
{
    fwrite(STDERR, "Error: $message\n");
    exit(1);
}
