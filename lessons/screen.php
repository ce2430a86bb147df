<?php
// The output of a lesson. If the reader has left (`make php-03 | head -1`) or the disk is full, PHP ends the script at its
// next echo. With this line it goes on: a lesson cleans up behind itself, and a server has clients to serve.
// connection_aborted() tells. The exit status is 255 then, unless the script says exit(0) at its end.
ignore_user_abort(true);

// If one of the first three descriptors is closed (`2>&-`), the next socket would get its number, and a client what is
// printed there. A file that leads nowhere takes its place.
foreach ([0, 1, 2] as $descriptor) {
    if (!file_exists("/proc/self/fd/$descriptor")) {
        $nowhere[] = fopen('/dev/null', 'r+');
    }
}
