/*
 * Preloaded into a program, it calls the C library's own functions with a smaller length, so that transfers come back
 * short, or lets one call fail. The environment steers it:
 *
 * SHIM_READS, SHIM_WRITES  `half` of what a transfer would move, or at most so many bytes
 * SHIM_NTH                 short is only this transfer of the first thread after it has written "begin" to -1
 * SHIM_FAIL                `recv:3:104`: the third call of recv fails with this number of an error. strace cannot do that to
 *                          one thread of several, and not to close, which always closes
 * SHIM_LOG                 the file that is told of it
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

/* The most buffers that the kernel takes. */
#define IOV 1024
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum direction { READS, WRITES };

static void tell(const char *what)
{
    const char *path = getenv("SHIM_LOG");
    if (path == NULL)
        return;
    long log = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    syscall(SYS_write, log, what, strlen(what));
    syscall(SYS_close, log);
}

/* Whether this is the call that is to fail. The transcript on descriptors 0 to 2 does not count. */
static int fails(const char *name, int fd)
{
    static atomic_int calls;
    const char *fail = getenv("SHIM_FAIL");
    char wanted[16];
    int nth, code;
    if (fail == NULL || fd <= 2 || sscanf(fail, "%15[^:]:%d:%d", wanted, &nth, &code) != 3)
        return 0;
    if (strcmp(wanted, name) != 0 || atomic_fetch_add(&calls, 1) + 1 != nth)
        return 0;
    tell("(INJECTED)\n");
    errno = code;
    return 1;
}

/* Whether one transfer alone is to be short, and whether the marks are around this call. */
static int between_marks;

static int one_alone(void)
{
    return getenv("SHIM_NTH") != NULL;
}

/* How much has arrived; a socket that waits gets a moment for it. One transfer alone is made short where it moves data. */
static size_t arrived(int fd, int flags)
{
    int available = 0;
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    if (!one_alone() && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 && !(flags & MSG_DONTWAIT))
        poll(&wanted, 1, 100);
    if (ioctl(fd, FIONREAD, &available) == 0 && available > 0)
        return (size_t)available;
    return one_alone() ? 0 : SIZE_MAX;
}

/* Whether a transfer that could be made short is the one that should. */
static int is_its_turn(void)
{
    static long transfers;
    if (!one_alone())
        return 1;
    if (!between_marks || gettid() != getpid() || ++transfers != atol(getenv("SHIM_NTH")))
        return 0;
    tell("(SHORT)\n");
    return 1;
}

/* How much of `length` a call gets. A datagram would lose what is not asked for; MSG_WAITALL waits for all, but a signal
   may end that once. */
static size_t less(enum direction direction, int fd, size_t length, int flags)
{
    const char *how = getenv(direction == READS ? "SHIM_READS" : "SHIM_WRITES");
    int type = SOCK_STREAM, saved = errno;
    socklen_t size = sizeof type;
    struct stat file;
    /* An eventfd has no type, and takes all of its 8 bytes or none. */
    if (how == NULL || fstat(fd, &file) != 0 || (file.st_mode & S_IFMT) == 0)
        goto whole;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    if (type != SOCK_STREAM || (!one_alone() && flags & (MSG_WAITALL | MSG_OOB)))
        goto whole;
    size_t most = direction == READS ? arrived(fd, flags) : SIZE_MAX;
    most = most < length ? most : length;
    size_t wanted = strcmp(how, "half") == 0 ? (most + 1) / 2 : (size_t)atol(how);
    if (most > 1 && is_its_turn() && wanted < most)
        length = wanted;
whole:
    errno = saved;
    return length;
}

/* The same for several buffers: whether there are fewer bytes, and then the first `*count` of `to`. */
static int fewer(enum direction direction, int fd, const struct iovec *from, size_t *count, struct iovec to[IOV], int flags)
{
    size_t sum = 0;
    if (*count > IOV)
        return 0;
    for (size_t i = 0; i < *count; i++)
        sum += from[i].iov_len;
    size_t left = less(direction, fd, sum, flags), used = 0;
    if (left == sum)
        return 0;
    for (; left > 0; used++) {
        to[used] = from[used];
        if (to[used].iov_len > left)
            to[used].iov_len = left;
        left -= to[used].iov_len;
    }
    *count = used;
    return 1;
}

ssize_t read(int fd, void *data, size_t length)
{
    return fails("read", fd) ? -1 : REAL(read)(fd, data, less(READS, fd, length, 0));
}

ssize_t recv(int fd, void *data, size_t length, int flags)
{
    return fails("recv", fd) ? -1 : REAL(recv)(fd, data, less(READS, fd, length, flags), flags);
}

ssize_t recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from, socklen_t *size)
{
    return fails("recvfrom", fd) ? -1
        : REAL(recvfrom)(fd, data, less(READS, fd, length, flags), flags, from, size);
}

ssize_t readv(int fd, const struct iovec *iov, int count)
{
    struct iovec some[IOV];
    size_t used = (size_t)count;
    if (fails("readv", fd))
        return -1;
    return fewer(READS, fd, iov, &used, some, 0) ? REAL(readv)(fd, some, (int)used) : REAL(readv)(fd, iov, count);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct iovec some[IOV], *iov = message->msg_iov;
    size_t count = message->msg_iovlen, used = count;
    if (fails("recvmsg", fd))
        return -1;
    if (fewer(READS, fd, iov, &used, some, flags)) {
        message->msg_iov = some;
        message->msg_iovlen = used;
    }
    ssize_t result = REAL(recvmsg)(fd, message, flags);
    message->msg_iov = iov;
    message->msg_iovlen = count;
    return result;
}

ssize_t write(int fd, const void *data, size_t length)
{
    if (fd == -1)
        between_marks = length == 5 && memcmp(data, "begin", 5) == 0;
    return fails("write", fd) ? -1 : REAL(write)(fd, data, less(WRITES, fd, length, 0));
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    return fails("send", fd) ? -1 : REAL(send)(fd, data, less(WRITES, fd, length, flags), flags);
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size)
{
    return fails("sendto", fd) ? -1
        : REAL(sendto)(fd, data, less(WRITES, fd, length, flags), flags, to, size);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct iovec some[IOV];
    size_t used = (size_t)count;
    if (fails("writev", fd))
        return -1;
    return fewer(WRITES, fd, iov, &used, some, 0) ? REAL(writev)(fd, some, (int)used) : REAL(writev)(fd, iov, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec some[IOV];
    struct msghdr shorter = *message;
    size_t used = message->msg_iovlen;
    if (fails("sendmsg", fd))
        return -1;
    if (!fewer(WRITES, fd, message->msg_iov, &used, some, flags))
        return REAL(sendmsg)(fd, message, flags);
    shorter.msg_iov = some;
    shorter.msg_iovlen = used;
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
