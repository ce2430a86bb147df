<?php
// The arguments of a lesson with two ends: `ARGS="ADDRESS PORT"`, or a port alone, or nothing.

/** Address and port, this one if none is given; and the arguments after them. */
function address_and_port(int $usual): array
{
    $words = array_slice($_SERVER['argv'], 1);
    // A bare number is never meant as an address: 8000 would be 0.0.31.64.
    if ($words === [] || is_number($words[0])) {
        array_unshift($words, '127.0.0.1');
    }
    [$address, $port] = $words + [1 => $usual];
    if (!preg_match('/^\+?\d+\z/', $port) || $port > 65535) {
        fwrite(STDERR, "The port has to be a number from 0 to 65535.\n");
        exit(1);
    }
    return [$address, (int) $port, array_slice($words, 2)];
}

/** Whether it is digits alone. */
function is_number(string $word): bool
{
    return preg_match('/^\d+\z/', $word) === 1;
}
