/* W2: 64 bytes to and fro over a socket pair; `empty` is the loop alone. */
#include "common.h"

int main(int argc, char **argv)
{
    char data[SIZE], buffer[SIZE];
    int pair[2];

    if (argc != 3)
        errx(1, "usage: pair|empty COUNT");
    unsigned long count = strtoul(argv[2], NULL, 10);
    alarm(SECONDS);
    if (strcmp(argv[1], "empty") == 0) {
        for (unsigned long i = 0; i < count; i++)
            __asm__ volatile("");
        return 0;
    }
    memset(data, 'x', sizeof data);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
        err(1, "socketpair");
    unsigned long received = 0;
    for (unsigned long i = 0; i < count; i++) {
        if (send(pair[0], data, SIZE, 0) == -1)
            err(1, "send");
        ssize_t some = recv(pair[1], buffer, SIZE, 0);
        if (some == -1)
            err(1, "recv");
        received += some;
    }
    if (received != count * SIZE)
        errx(1, "%lu bytes of %lu", received, count * SIZE);
    return 0;
}
