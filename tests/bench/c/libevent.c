/* W5: the echo server on libevent, on which PHP's event extension stands. */
#include "common.h"
#include <event2/event.h>

static struct event_base *base;
static const struct timeval *limit;
static char buffer[CAPACITY];
static size_t clients;

static void echo(evutil_socket_t fd, short what, void *own)
{
    struct event **event = own;
    ssize_t count = what & EV_TIMEOUT ? 0 : recv(fd, buffer, CAPACITY, 0);

    if (count > 0 && send(fd, buffer, count, 0) == count)
        return;
    event_free(*event);
    free(event);
    close(fd);
    if (--clients == 0)
        event_base_loopbreak(base);
}

static void join(evutil_socket_t listener, short what, void *unused)
{
    int fd = accept_from(listener);
    struct event **event = malloc(sizeof *event);

    (void)what;
    (void)unused;
    *event = event_new(base, fd, EV_READ | EV_PERSIST, echo, event);
    if (*event == NULL || event_add(*event, limit) == -1)
        errx(1, "event_add");
    clients++;
}

int main(int count, char **words)
{
    static const struct timeval minute = { .tv_sec = 60 };

    if (count > 1 && strcmp(words[1], "time-outs") == 0)
        limit = &minute;
    base = event_base_new();
    if (base == NULL)
        errx(1, "event_base_new");
    event_add(event_new(base, listen_here(), EV_READ | EV_PERSIST, join, NULL), NULL);
    event_base_dispatch(base);
}
