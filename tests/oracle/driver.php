<?php
// Plays a script of calls (JSON on standard input) and prints what came of each as JSON. The other player is script.rs.

['steps' => $steps, 'dir' => $dir] = json_decode(stream_get_contents(STDIN), true);
$vars = $buffers = $results = [];
$warning = null;
set_error_handler(function ($level, $message) use (&$warning) {
    $warning = $message;
    return true;
});

/** JSON has no bytes: each byte travels as the character of its number. */
function encode(string $bytes): string
{
    $text = '';
    foreach (str_split($bytes) as $byte) {
        $text .= ord($byte) < 128 ? $byte : chr(0xC0 | ord($byte) >> 6) . chr(0x80 | ord($byte) & 0x3F);
    }
    return $text;
}

function decode(string $text): string
{
    return preg_replace_callback('/[\xC2\xC3]./s', fn ($m) => chr((ord($m[0][0]) & 3) << 6 | ord($m[0][1]) & 0x3F), $text);
}

function argument(array $argument)
{
    global $vars, $dir;
    [$type, $value] = $argument;
    return match ($type) {
        'int' => $value,
        'null' => null,
        'text' => decode($value),
        'constant' => constant($value),
        'socket' => $vars[$value],
        'address' => $vars[$value][0],
        'port' => $vars[$value][1],
        'list' => array_map(fn ($name) => $vars[$name], $value),
        'map' => array_combine(array_column($value, 0), array_map(fn ($pair) => $vars[$pair[1]], $value)),
    };
}

$marks = getenv('PHP_SOCKETS_MARKS') !== false;
foreach ($steps as $number => ['call' => $call, 'out' => $out, 'args' => $args]) {
    $warning = $thrown = null;
    $result = [];
    $socket = ($args[0][0] ?? '') === 'socket' ? $vars[$args[0][1]] ?? null : null;
    $values = $call === 'drop' || in_array($call, ['socket_recv', 'socket_recvfrom'], true) ? [] : array_map('argument', $args);
    $marks && file_exists("/step/$number");
    try {
        switch ($call) {
            case 'drop':
                unset($vars[$args[0][1]]);
                $value = $socket = null;
                break;
            case 'socket_create_pair':
                $value = socket_create_pair(...[...$values, &$pair]);
                if ($value) {
                    [$vars[$out[0]], $vars[$out[1]]] = $pair;
                    $pair = null;
                }
                break;
            case 'socket_getsockname':
            case 'socket_getpeername':
                $address = '';
                $port = 0;
                $value = $call($values[0], $address, $port);
                if ($value) {
                    $result['name'] = [encode(str_replace($dir, 'DIR', $address)), $port];
                    $vars[$out[0] ?? ''] = [$address, $port];
                }
                break;
            case 'socket_recv':
                $buffer = &$buffers[$args[1][1]];
                $value = socket_recv($socket, $buffer, argument($args[2]), argument($args[3]));
                $result['data'] = encode($buffer ?? '');
                break;
            case 'socket_recvfrom':
                $buffer = &$buffers[$args[1][1]];
                $address = '';
                $port = 0;
                $value = socket_recvfrom($socket, $buffer, argument($args[2]), argument($args[3]), $address, $port);
                $result['data'] = encode($buffer ?? '');
                if ($value !== false) {
                    $result['name'] = [encode(str_replace($dir, 'DIR', $address)), $port];
                    $vars[$out[0] ?? ''] = [$address, $port];
                }
                break;
            case 'socket_select':
                [$read, $write, $except, $seconds, $microseconds] = $values;
                try {
                    $value = socket_select($read, $write, $except, $seconds, $microseconds);
                } finally {
                    $name = fn ($socket) => array_search($socket, $vars, true);
                    foreach ([$read, $write, $except] as $i => $array) {
                        // A plain Vec has no keys: only the elements of a list are compared.
                        $names = $array === null ? null : array_map($name, $array);
                        $result['arrays'][] = match ($args[$i][0]) {
                            'map' => array_map(null, array_keys($names), array_values($names)),
                            'list' => array_values($names),
                            'null' => $names,
                        };
                    }
                    $read = $write = $except = $array = $name = null; // so that `drop` lets go of the last reference
                }
                break;
            case 'receive_timeout':
                $value = socket_set_option($socket, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 0, 'usec' => $values[1]]);
                break;
            default:
                $value = $call(...$values);
                if ($value instanceof Socket && $out !== []) {
                    $vars[$out[0]] = $value;
                }
                if ($call === 'socket_close') {
                    unset($vars[$args[0][1]]);
                    $socket = null;
                }
        }
    } catch (\Error $error) {
        $value = false;
        $thrown = $error->getMessage();
    }
    $marks && file_exists("/step/$number");
    $result['value'] = match (true) {
        $value instanceof Socket => 'Socket',
        is_string($value) => ['bytes', encode($value)],
        default => $value,
    };
    $results[] = $result + [
        'warning' => $warning,
        'thrown' => $thrown,
        'last' => socket_last_error(),
        'own' => $socket === null ? null : socket_last_error($socket),
    ];
    $value = $socket = $values = null;
}
echo json_encode($results);
