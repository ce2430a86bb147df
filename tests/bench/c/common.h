/* The parts that every program shares, outside of what is measured. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 64, CAPACITY = 1024, SECONDS = 120 };

/* A listener on a free port of 127.0.0.1, which it prints. */
static inline int listen_here(void)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    alarm(SECONDS);
    if (listener == -1 || bind(listener, (struct sockaddr *)&name, length) == -1
        || listen(listener, SOMAXCONN) == -1 || getsockname(listener, (struct sockaddr *)&name, &length) == -1)
        err(1, "listen");
    printf("%d\n", ntohs(name.sin_port));
    fflush(stdout);
    return listener;
}

static inline int accept_from(int listener)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (client == -1)
        err(1, "accept4");
    return client;
}
