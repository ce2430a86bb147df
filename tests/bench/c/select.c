/* W3: the select server. With -DLOOK (W3-line) it looks for the end of a line and then takes no more than the line. */
#include "common.h"
#include <stdbool.h>
#include <sys/select.h>

#ifdef LOOK
static ssize_t receive(int client, char *buffer)
{
    ssize_t seen = recv(client, buffer, CAPACITY, MSG_PEEK);
    if (seen <= 0)
        return seen;
    char *end = memchr(buffer, '\n', seen);
    return recv(client, buffer, end ? end + 1 - buffer : seen, 0);
}
#else
static ssize_t receive(int client, char *buffer)
{
    return recv(client, buffer, CAPACITY, 0);
}
#endif

/* Whether the client stays. */
static bool answer(int client)
{
    char buffer[CAPACITY];
    ssize_t count = receive(client, buffer);

    return count > 0 && send(client, buffer, count, 0) == count;
}

int main(void)
{
    int listener = listen_here();
    int clients[FD_SETSIZE];
    size_t count = 0;

    for (;;) {
        fd_set read;
        int highest = listener;
        FD_ZERO(&read);
        FD_SET(listener, &read);
        for (size_t i = 0; i < count; i++) {
            FD_SET(clients[i], &read);
            if (clients[i] > highest)
                highest = clients[i];
        }
        if (select(highest + 1, &read, NULL, NULL, NULL) == -1)
            err(1, "select");
        for (size_t i = 0; i < count;) {
            if (!FD_ISSET(clients[i], &read) || answer(clients[i])) {
                i++;
                continue;
            }
            close(clients[i]);
            clients[i] = clients[--count];
            if (count == 0)
                return 0;
        }
        if (FD_ISSET(listener, &read))
            clients[count++] = accept_from(listener);
    }
}
