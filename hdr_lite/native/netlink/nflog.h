/* First packets: what nftables' log statement sends to an NFLOG group, into the meter.
 *
 * The socket is opened, bound to its group and configured by whoever may (sources/nflog.py:
 * copy mode packet, sequence numbers on); here it is read. A packet arrives as its IP datagram,
 * cut to the snap length, beside the link header of the interface it came in by, the index of
 * that interface and a time. With Ethernet's header the frame is put together again, so that the
 * meter learns the MAC addresses; without (own packets, PPP) it is raw IP.
 *
 * linux/netfilter/nfnetlink_log.h names the attributes.
 */
#ifndef HDR_LITE_NFLOG_H
#define HDR_LITE_NFLOG_H

#include "interfaces.h"
#include "meter.h"
#include "netlink.h"

#define NFLOG_MOST_BYTES 2048 /* of a packet; the rest is not looked at */

struct nflog_counters {
    uint64_t packets;
    uint64_t lost;      /* numbers missing from the kernel's count: dropped for want of room */
    uint64_t overflows; /* times that the socket's buffer overflowed */
    uint64_t malformed; /* messages that cannot be what they say */
    uint64_t foreign;   /* datagrams not from the kernel, or cut */
};

struct nflog {
    struct interfaces *interfaces;
    struct nflog_counters counters;
    uint32_t sequence; /* of the message expected next */
    bool counting;     /* a first message was seen */
    uint16_t group;
    uint8_t frame[14 + NFLOG_MOST_BYTES];
};

/* When a datagram is read: now is traffic time, for packets without a time of their own (those
 * that leave); shift is what to add to the wall clock's time of the others. */
struct nflog_time {
    uint64_t now;
    int64_t shift;
};

/* All zeros but these; the interfaces stay the caller's. */
void nflog_init(struct nflog *n, uint16_t group, struct interfaces *interfaces);
/* The messages of one datagram to the meter; the number of packets. */
unsigned nflog_take(struct nflog *n, struct meter *m, struct cursor datagram,
                    struct nflog_time time);

#endif
