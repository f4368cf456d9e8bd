/* Netlink framing and receiving (netlink.h). */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEADER 16u
#define ATTRIBUTE_HEADER 4u

static uint32_t padding(uint32_t length)
{
    return (4u - length % 4u) % 4u;
}

/* The last part of a datagram may come without its padding. */
static void skip_padding(struct cursor *c, uint32_t length)
{
    uint32_t n = padding(length);
    (void)cursor_skip(c, n < c->left ? n : c->left);
}

enum netlink_step netlink_message(struct cursor *datagram, struct netlink_message *message)
{
    uint32_t length;
    if (datagram->left == 0)
        return NETLINK_END;
    struct cursor c = *datagram;
    if (!cursor_bytes(&c, &length, 4) || !cursor_bytes(&c, &message->type, 2) ||
        !cursor_bytes(&c, &message->flags, 2) || !cursor_bytes(&c, &message->sequence, 4) ||
        !cursor_bytes(&c, &message->port, 4) || length < HEADER ||
        !cursor_take(&c, length - HEADER, &message->body))
        return NETLINK_BAD;
    skip_padding(&c, length);
    *datagram = c;
    return NETLINK_TAKEN;
}

enum netlink_step netlink_attribute(struct cursor *attributes, uint16_t *type, struct cursor *value)
{
    uint16_t length;
    if (attributes->left == 0)
        return NETLINK_END;
    struct cursor c = *attributes;
    if (!cursor_bytes(&c, &length, 2) || !cursor_bytes(&c, type, 2) || length < ATTRIBUTE_HEADER ||
        !cursor_take(&c, length - ATTRIBUTE_HEADER, value))
        return NETLINK_BAD;
    *type &= 0x3fff;
    skip_padding(&c, length);
    *attributes = c;
    return NETLINK_TAKEN;
}

bool netlink_error(const struct netlink_message *message, int *code)
{
    struct cursor c = message->body;
    int32_t value;
    if (!cursor_bytes(&c, &value, 4))
        return false;
    *code = value;
    return true;
}

bool netlink_u8(struct cursor value, uint8_t *out)
{
    return value.left == 1 && cursor_u8(&value, out);
}

bool netlink_u16(struct cursor value, uint16_t *out)
{
    return value.left == 2 && cursor_u16(&value, out);
}

bool netlink_u32(struct cursor value, uint32_t *out)
{
    return value.left == 4 && cursor_u32(&value, out);
}

bool netlink_u64(struct cursor value, uint64_t *out)
{
    uint32_t high, low;
    if (value.left != 8 || !cursor_u32(&value, &high) || !cursor_u32(&value, &low))
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

uint64_t netlink_now(void)
{
    struct timespec at = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

int netlink_timer(uint64_t interval)
{
    struct timespec each = {.tv_sec = (time_t)(interval / 1000000000u),
                            .tv_nsec = (long)(interval % 1000000000u)};
    struct itimerspec when = {each, each};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd >= 0 && timerfd_settime(fd, 0, &when, NULL) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void netlink_timer_settle(int fd)
{
    uint64_t expirations;
    while (read(fd, &expirations, sizeof expirations) < 0 && errno == EINTR)
        ;
}

enum netlink_receipt netlink_receive(int fd, uint8_t *buffer, struct cursor *datagram)
{
    struct sockaddr_nl from = {.nl_pid = 1};
    struct iovec part = {buffer, NETLINK_DATAGRAM};
    struct msghdr header = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    ssize_t length;
    do
        length = recvmsg(fd, &header, MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    if (length < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return NETLINK_NOTHING;
        return errno == ENOBUFS ? NETLINK_LOST : NETLINK_FAILED;
    }
    if (header.msg_namelen < sizeof from || from.nl_pid != 0 || (header.msg_flags & MSG_TRUNC))
        return NETLINK_FOREIGN;
    *datagram = cursor_over(buffer, (uint32_t)length);
    return NETLINK_RECEIVED;
}
