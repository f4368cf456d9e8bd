/* Frames of the narrow capture to the meter (narrow.h). */
#include "narrow.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define LINK_ETHERNET 1
#define HARDWARE_ETHERNET 1
#define FRAME_MOST 2048

/* The kernel's time of the frame, moved; else the reader's. */
static uint64_t time_of(struct msghdr *header, struct nflog_time time)
{
    struct timespec at;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS ||
            c->cmsg_len < CMSG_LEN(sizeof at))
            continue;
        memcpy(&at, CMSG_DATA(c), sizeof at);
        if (at.tv_sec > 0)
            return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec + (uint64_t)time.shift;
    }
    return time.now;
}

bool narrow_stamp(int fd)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
}

int narrow_read(int fd, struct interfaces *interfaces, struct narrow_counters *counters,
                struct meter *m, struct nflog_time time)
{
    _Alignas(struct cmsghdr) uint8_t control[64];
    uint8_t frame[FRAME_MOST];
    struct sockaddr_ll from;
    struct iovec part = {frame, sizeof frame};
    struct msghdr header = {.msg_name = &from,
                            .msg_namelen = sizeof from,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    bool port = false;
    memset(&from, 0, sizeof from);
    ssize_t length = recvmsg(fd, &header, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENETDOWN ? 0
                                                                                              : -1;
    uint16_t interface = interfaces_number(interfaces, (uint32_t)from.sll_ifindex, &port);
    if (port || from.sll_hatype != HARDWARE_ETHERNET) {
        counters->copies += port;
        return 1;
    }
    uint32_t captured = (uint32_t)length < sizeof frame ? (uint32_t)length : sizeof frame;
    counters->packets++;
    (void)meter_packet(m, LINK_ETHERNET, interface, time_of(&header, time), (uint32_t)length, frame,
                       captured);
    return 1;
}
