/* W4: the epoll echo server. */
#include "common.h"
#include <sys/epoll.h>

enum { BATCH = 256 };

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
        err(1, "epoll_ctl");
}

int main(void)
{
    int listener = listen_here();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[BATCH];
    char buffer[CAPACITY];
    size_t clients = 0;

    watch(epoll, listener);
    for (;;) {
        int ready = epoll_wait(epoll, events, BATCH, -1);
        if (ready == -1)
            err(1, "epoll_wait");
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                watch(epoll, accept_from(listener));
                clients++;
                continue;
            }
            ssize_t count = recv(fd, buffer, CAPACITY, 0);
            if (count > 0 && send(fd, buffer, count, 0) == count)
                continue;
            close(fd);
            if (--clients == 0)
                return 0;
        }
    }
}
