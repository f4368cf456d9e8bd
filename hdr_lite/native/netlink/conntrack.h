/* Conntrack over netlink: events, dumps and answers, into the meter.
 *
 * The socket is opened and joined to its groups by whoever may (sources/conntrack.py); here it is
 * read. What is on it: NEW, UPDATE and DESTROY events, of which only the last carries counts; the
 * entries of a dump that was asked for; answers about single entries. Asking needs CAP_NET_ADMIN,
 * which the reader may not have: requests are bytes that are handed out, and whoever holds the same
 * socket may send them. The sequence number of a request comes back with its answer and tells
 * what it was for; events have none.
 *
 * A TCP connection whose packets were not all seen is asked about once more after it closed, since
 * its entry stays for minutes and tells its counts only then. Those questions wait in a bounded
 * queue; when it is half full they are asked at once.
 *
 * linux/netfilter/nfnetlink_conntrack.h names the attributes.
 */
#ifndef HDR_LITE_CONNTRACK_H
#define HDR_LITE_CONNTRACK_H

#include "meter.h"
#include "netlink.h"
#include "nflog.h"

#define CONNTRACK_QUERY 128   /* bytes of a request about one entry, at most */
#define CONNTRACK_QUERIES 512 /* that may wait */
#define CONNTRACK_ROUTES 256

/* Sequence numbers of requests. */
enum conntrack_purpose {
    CONNTRACK_EVENT = 0,
    CONNTRACK_OLDER, /* a dump: connections that were there before us */
    CONNTRACK_POLL,  /* a dump: counts */
    CONNTRACK_ASKED, /* one entry */
};

struct conntrack_counters {
    uint64_t events, polled, answers;
    uint64_t dumps;     /* that came to their end */
    uint64_t older;     /* of these, those of connections that were there before us */
    uint64_t asked;     /* questions handed out */
    uint64_t refused;   /* requests that the kernel did not allow or take */
    uint64_t overflows; /* times that the socket's buffer overflowed: a dump is due */
    uint64_t malformed; /* messages that cannot be what they say */
    uint64_t foreign;   /* datagrams not from the kernel, or cut */
};

struct conntrack_query {
    uint64_t due;        /* ns of traffic time */
    struct tracked news; /* whom it is about: whether it is needed is seen when it is due */
    uint32_t length;
    uint8_t bytes[CONNTRACK_QUERY];
};

/* Addresses, and whether the interface that they are behind is watched. */
struct conntrack_route {
    uint8_t network[16];
    uint8_t bits;
    bool watched;
};

struct conntrack {
    struct conntrack_counters counters;
    uint64_t delay; /* ns from the end of a connection to the question about it */
    uint32_t first, waiting;
    struct conntrack_query queries[CONNTRACK_QUERIES];
    struct conntrack_route routes[CONNTRACK_ROUTES]; /* the first that fits holds */
    uint32_t routed;                                 /* how many; 0: all is watched */
};

void conntrack_init(struct conntrack *c, uint64_t delay);
/* Another route, behind those before; false when there is no room. Once there is one, connections
 * that are older than us are followed only if an end of theirs is watched. */
bool conntrack_add_route(struct conntrack *c, const struct conntrack_route *route);
/* The messages of one datagram to the meter; their number. */
unsigned conntrack_take(struct conntrack *c, struct meter *m, struct cursor datagram,
                        struct nflog_time time);
/* Questions that are due, one after the other, to send to the kernel; bytes written. Those about
 * flows of which the meter has seen all by now are dropped. */
uint32_t conntrack_due(struct conntrack *c, struct meter *m, uint64_t now, uint8_t *out,
                       uint32_t size);

#endif
