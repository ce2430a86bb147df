/*
 * Preloaded into a lesson. Calls the C library's own function with a smaller length, so that reads (SHORT_READS) and
 * writes (SHORT_WRITES) come back short: after `one` byte, or after `half` of what they would have taken. Or lets the
 * n-th call of a function fail (FAIL=recv:3:104, by errno's number), which strace cannot do to one thread of several,
 * and not to close, which always closes. SHIM_LOG is the file that tells of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Whether this is the call that is to fail. The transcript on descriptors 0 to 2 does not count. */
static int fails(const char *name, int fd)
{
    static atomic_int calls;
    const char *fail = getenv("FAIL");
    char wanted[16];
    int nth, code;
    if (fail == NULL || fd <= 2 || sscanf(fail, "%15[^:]:%d:%d", wanted, &nth, &code) != 3)
        return 0;
    if (strcmp(wanted, name) != 0 || atomic_fetch_add(&calls, 1) + 1 != nth)
        return 0;
    const char *path = getenv("SHIM_LOG");
    long log = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    syscall(SYS_write, log, "(INJECTED)\n", 11);
    syscall(SYS_close, log);
    errno = code;
    return 1;
}

/* How much has arrived; a socket that waits gets a moment for it. */
static size_t arrived(int fd, int flags)
{
    int available = 0;
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    if ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 && !(flags & MSG_DONTWAIT))
        poll(&wanted, 1, 100);
    return ioctl(fd, FIONREAD, &available) == 0 && available > 0 ? (size_t)available : SIZE_MAX;
}

/* How much of `length` a call gets. A datagram would lose what is not asked for; MSG_WAITALL waits for all. */
static size_t less(const char *variable, int fd, size_t length, int flags)
{
    const char *how = getenv(variable);
    int type = SOCK_STREAM, saved = errno;
    socklen_t size = sizeof type;
    struct stat file;
    /* An eventfd has no type, and takes all of its 8 bytes or none. */
    if (how == NULL || fstat(fd, &file) != 0 || (file.st_mode & S_IFMT) == 0)
        return length;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    if (length > 1 && type == SOCK_STREAM && !(flags & (MSG_WAITALL | MSG_OOB))) {
        size_t most = strcmp(variable, "SHORT_READS") == 0 ? arrived(fd, flags) : SIZE_MAX;
        length = strcmp(how, "one") == 0 ? 1 : ((most < length ? most : length) + 1) / 2;
    }
    errno = saved;
    return length;
}

/* The first bytes of several buffers, as many as a call gets. */
static int shorten(const char *variable, int fd, const struct iovec *from, int count, struct iovec *to, int flags)
{
    size_t left = 0;
    int used = 0;
    for (int i = 0; i < count; i++)
        left += from[i].iov_len;
    left = less(variable, fd, left, flags);
    for (; used < count && (left > 0 || used == 0); used++) {
        to[used] = from[used];
        if (to[used].iov_len > left)
            to[used].iov_len = left;
        left -= to[used].iov_len;
    }
    return used;
}

ssize_t read(int fd, void *data, size_t length)
{
    return fails("read", fd) ? -1 : REAL(read)(fd, data, less("SHORT_READS", fd, length, 0));
}

ssize_t recv(int fd, void *data, size_t length, int flags)
{
    return fails("recv", fd) ? -1 : REAL(recv)(fd, data, less("SHORT_READS", fd, length, flags), flags);
}

ssize_t recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from, socklen_t *size)
{
    return fails("recvfrom", fd) ? -1
        : REAL(recvfrom)(fd, data, less("SHORT_READS", fd, length, flags), flags, from, size);
}

ssize_t readv(int fd, const struct iovec *iov, int count)
{
    struct iovec some[64];
    if (fails("readv", fd))
        return -1;
    count = count < 64 ? count : 64;
    return REAL(readv)(fd, some, shorten("SHORT_READS", fd, iov, count, some, 0));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct iovec some[64];
    if (fails("recvmsg", fd))
        return -1;
    struct iovec *iov = message->msg_iov;
    size_t count = message->msg_iovlen;
    message->msg_iovlen = (size_t)shorten("SHORT_READS", fd, iov, count < 64 ? (int)count : 64, some, flags);
    message->msg_iov = some;
    ssize_t result = REAL(recvmsg)(fd, message, flags);
    message->msg_iov = iov;
    message->msg_iovlen = count;
    return result;
}

ssize_t write(int fd, const void *data, size_t length)
{
    return fails("write", fd) ? -1 : REAL(write)(fd, data, less("SHORT_WRITES", fd, length, 0));
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    return fails("send", fd) ? -1 : REAL(send)(fd, data, less("SHORT_WRITES", fd, length, flags), flags);
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size)
{
    return fails("sendto", fd) ? -1
        : REAL(sendto)(fd, data, less("SHORT_WRITES", fd, length, flags), flags, to, size);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct iovec some[64];
    if (fails("writev", fd))
        return -1;
    count = count < 64 ? count : 64;
    return REAL(writev)(fd, some, shorten("SHORT_WRITES", fd, iov, count, some, 0));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec some[64];
    struct msghdr shorter = *message;
    if (fails("sendmsg", fd))
        return -1;
    int count = message->msg_iovlen < 64 ? (int)message->msg_iovlen : 64;
    shorter.msg_iovlen = (size_t)shorten("SHORT_WRITES", fd, message->msg_iov, count, some, flags);
    shorter.msg_iov = some;
    return REAL(sendmsg)(fd, &shorter, flags);
}

int shutdown(int fd, int how)
{
    return fails("shutdown", fd) ? -1 : REAL(shutdown)(fd, how);
}

int close(int fd)
{
    int failed = fails("close", fd);
    int code = errno;
    int result = REAL(close)(fd);
    if (!failed)
        return result;
    errno = code;
    return -1;
}
