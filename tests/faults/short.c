/* Preloaded, it makes one transfer of the first thread on a stream socket short: the SHORT_NTH one after the mark, to SHORT_TO bytes, or to
   half of them. The real function is called with less room, so that no byte is claimed that was not moved. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int armed, made_short;
static long seen;

static size_t shorter(int fd, size_t length, int receives) {
    int kind, waiting, code = errno;
    socklen_t size = sizeof kind;
    if (!armed || gettid() != getpid() || getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == -1 || kind != SOCK_STREAM) goto whole;
    if (receives) {
        if (ioctl(fd, FIONREAD, &waiting) == -1) goto whole;
        if ((size_t)waiting < length) length = waiting;
    }
    if (length < 2 || ++seen != atol(getenv("SHORT_NTH"))) goto whole;
    made_short = 1;
    errno = code;
    return strcmp(getenv("SHORT_TO"), "half") == 0 ? length / 2 : 1;
whole:
    errno = code;
    return (size_t)-1;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t total(const struct iovec *vectors, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += vectors[i].iov_len;
    return sum;
}

/* The first `length` bytes of the vectors. */
static size_t cut(struct iovec *to, const struct iovec *from, size_t count, size_t length) {
    size_t i;
    for (i = 0; i < count && length > 0; i++) {
        to[i] = from[i];
        to[i].iov_len = least(from[i].iov_len, length);
        length -= to[i].iov_len;
    }
    return i;
}

ssize_t write(int fd, const void *data, size_t length) {
    if (fd == -1) armed = length == 5 && memcmp(data, "begin", 5) == 0;
    return REAL(write)(fd, data, least(length, shorter(fd, length, 0)));
}

ssize_t send(int fd, const void *data, size_t length, int flags) {
    return REAL(send)(fd, data, least(length, shorter(fd, length, 0)), flags);
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *name, socklen_t size) {
    return REAL(sendto)(fd, data, least(length, shorter(fd, length, 0)), flags, name, size);
}

ssize_t read(int fd, void *data, size_t length) {
    return REAL(read)(fd, data, least(length, shorter(fd, length, 1)));
}

ssize_t recv(int fd, void *data, size_t length, int flags) {
    return REAL(recv)(fd, data, least(length, shorter(fd, length, 1)), flags);
}

ssize_t recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *name, socklen_t *size) {
    return REAL(recvfrom)(fd, data, least(length, shorter(fd, length, 1)), flags, name, size);
}

ssize_t writev(int fd, const struct iovec *vectors, int count) {
    struct iovec less[1024];
    size_t length = shorter(fd, total(vectors, count), 0);
    return length == (size_t)-1 ? REAL(writev)(fd, vectors, count)
                                : REAL(writev)(fd, less, cut(less, vectors, count, length));
}

ssize_t readv(int fd, const struct iovec *vectors, int count) {
    struct iovec less[1024];
    size_t length = shorter(fd, total(vectors, count), 1);
    return length == (size_t)-1 ? REAL(readv)(fd, vectors, count)
                                : REAL(readv)(fd, less, cut(less, vectors, count, length));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    struct iovec less[1024];
    struct msghdr changed = *message;
    size_t length = shorter(fd, total(message->msg_iov, message->msg_iovlen), 0);
    if (length == (size_t)-1) return REAL(sendmsg)(fd, message, flags);
    changed.msg_iov = less;
    changed.msg_iovlen = cut(less, message->msg_iov, message->msg_iovlen, length);
    return REAL(sendmsg)(fd, &changed, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    struct iovec less[1024], *whole = message->msg_iov;
    size_t count = message->msg_iovlen, length = shorter(fd, total(whole, count), 1);
    if (length == (size_t)-1) return REAL(recvmsg)(fd, message, flags);
    message->msg_iov = less;
    message->msg_iovlen = cut(less, whole, count, length);
    ssize_t received = REAL(recvmsg)(fd, message, flags);
    message->msg_iov = whole;
    message->msg_iovlen = count;
    return received;
}

__attribute__((destructor)) static void tell(void) {
    if (made_short) REAL(write)(2, "made short\n", 11);
}
