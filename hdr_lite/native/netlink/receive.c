/* Datagrams, the clock and a timer from the system (netlink.h). */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

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
        /* EINVAL: the process that asks, on its copy of the socket, has just finished the dump that
         * the kernel was about to go on with here (netlink_dump in net/netlink/af_netlink.c). */
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINVAL)
            return NETLINK_NOTHING;
        return errno == ENOBUFS ? NETLINK_LOST : NETLINK_FAILED;
    }
    if (header.msg_namelen < sizeof from || from.nl_pid != 0 || (header.msg_flags & MSG_TRUNC))
        return NETLINK_FOREIGN;
    *datagram = cursor_over(buffer, (uint32_t)length);
    return NETLINK_RECEIVED;
}
