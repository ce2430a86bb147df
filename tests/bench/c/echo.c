/* W1: the other end of a ping-pong. */
#include "common.h"

int main(void)
{
    char buffer[CAPACITY];
    int client = accept_from(listen_here());
    ssize_t count;

    while ((count = recv(client, buffer, CAPACITY, 0)) > 0)
        if (send(client, buffer, count, 0) != count)
            err(1, "send");
    return count != 0;
}
