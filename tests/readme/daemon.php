<?php
// The daemon of the porting guide, before: php daemon.php [PORT]

/** The answer to a line such as "reverse abc". */
function answer(string $line): string
{
    [$command, $text] = explode(' ', trim($line), 2) + [1 => ''];
    return match ($command) {
        'reverse' => strrev($text),
        'hex' => bin2hex($text),
        'length' => bin2hex(pack('n', strlen($text))),
        'first' => (string) ord("$text\0"),
        default => throw new DomainException("unknown command '$command'"),
    };
}

$running = true;
pcntl_async_signals(true);
pcntl_signal(SIGTERM, function () use (&$running) {
    $running = false;
});

$server = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
socket_set_option($server, SOL_SOCKET, SO_REUSEADDR, 1);
if (!@socket_bind($server, '127.0.0.1', (int) ($argv[1] ?? '0'))) {
    exit(error_get_last()['message'] . "\n");
}
socket_listen($server, SOMAXCONN);
socket_set_nonblock($server);
socket_getsockname($server, $address, $port);
echo "Listening on $address:$port\n";

$sockets = [0 => $server];
$input = [];
while ($running) {
    $read = $sockets;
    $write = $except = null;
    if (@socket_select($read, $write, $except, 1) === false) {
        continue; // a signal came
    }
    foreach ($read as $id => $socket) {
        if ($id === 0) {
            if ($client = @socket_accept($server)) {
                $sockets[] = $client;
                $input[array_key_last($sockets)] = '';
            }
            continue;
        }
        $data = @socket_read($socket, 1024);
        if ($data === false || $data === '') {
            socket_close($socket);
            unset($sockets[$id], $input[$id]);
            continue;
        }
        $input[$id] .= $data;
        while (($end = strpos($input[$id], "\n")) !== false) {
            $line = substr($input[$id], 0, $end);
            $input[$id] = substr($input[$id], $end + 1);
            try {
                $answer = answer($line);
            } catch (DomainException $error) {
                $answer = 'error: ' . $error->getMessage();
            }
            if (@socket_write($socket, "$answer\n") !== strlen($answer) + 1) {
                socket_close($socket);
                unset($sockets[$id], $input[$id]);
                break;
            }
        }
    }
}
echo "Bye\n";
