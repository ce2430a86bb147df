<?php
// What a lesson prints. If the reader has left (`make php-03 | head -1`) or the disk is full, PHP ends the script at its
// next echo. With this line it goes on: a lesson cleans up behind itself, and a server has clients to serve.
// connection_aborted() tells. The exit status is 255 then, unless the script says exit(0) at its end.
ignore_user_abort(true);

// If one of the first three descriptors is closed (`2>&-`), the next socket gets its number, and a client whatever is
// printed there; and PHP leaves out STDOUT and STDERR. Files that lead nowhere take their places.
for ($nowhere = []; !defined('STDERR') && count($nowhere) < 3;) {
    $nowhere[] = fopen('/dev/null', 'r+');
}
defined('STDOUT') || define('STDOUT', fopen('php://stdout', 'w'));
defined('STDERR') || define('STDERR', fopen('php://stderr', 'w'));
