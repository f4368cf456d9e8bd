/* Frames of the narrow capture to the meter (narrow.h). */
#include "narrow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

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

#define LOAD(width, at) BPF_STMT(BPF_LD | (width) | BPF_ABS, (at))
#define LOAD_FACT(fact) LOAD(BPF_W, (uint32_t)(SKF_AD_OFF + (fact)))
#define WHEN(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

/* Ethernet, untagged: ARP; IPv4's DHCP; ICMPv6 133 to 137 (RFC 4861); DHCPv6. Jumps count the
 * steps that are skipped. */
static const struct sock_filter FILTER[] = {
    LOAD_FACT(SKF_AD_HATYPE),
    WHEN(HARDWARE_ETHERNET, 0, 25),
    LOAD_FACT(SKF_AD_VLAN_TAG_PRESENT),
    WHEN(0, 0, 23),
    LOAD(BPF_H, 12),
    WHEN(ETH_P_ARP, 20, 0),
    WHEN(ETH_P_IPV6, 9, 0),
    WHEN(ETH_P_IP, 0, 19),
    LOAD(BPF_B, 23), /* IPv4: protocol, fragment offset, header length, port */
    WHEN(17, 0, 17),
    LOAD(BPF_H, 20),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 15, 0),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
    WHEN(67, 11, 0),
    WHEN(68, 10, 11),
    LOAD(BPF_B, 20), /* IPv6: next header, then ICMPv6 type or port */
    WHEN(58, 4, 0),
    WHEN(17, 0, 8),
    LOAD(BPF_H, 56),
    WHEN(546, 5, 0),
    WHEN(547, 4, 5),
    LOAD(BPF_B, 54),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 133, 0, 3),
    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 137, 2, 0),
    BPF_STMT(BPF_RET | BPF_K, FRAME_MOST),
    BPF_STMT(BPF_RET | BPF_K, FRAME_MOST),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

static int prepare(int fd)
{
    struct sock_filter steps[sizeof FILTER / sizeof FILTER[0]];
    struct sock_fprog program = {sizeof FILTER / sizeof FILTER[0], steps};
    struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1;
    memcpy(steps, FILTER, sizeof FILTER);
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0)
        return -1;
    return bind(fd, (const void *)&all, sizeof all);
}

/* Without a protocol nothing arrives until the filter is there. */
int narrow_open(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && prepare(fd) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
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
    if (port || from.sll_hatype != HARDWARE_ETHERNET ||
        !interfaces_watched(interfaces, interface)) {
        counters->copies += port;
        return 1;
    }
    uint32_t captured = (uint32_t)length < sizeof frame ? (uint32_t)length : sizeof frame;
    counters->packets++;
    (void)meter_packet(m, LINK_ETHERNET, interface, time_of(&header, time), (uint32_t)length, frame,
                       captured);
    return 1;
}
