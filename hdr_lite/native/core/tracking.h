/* What conntrack knows of flows of which only the first packets were seen (source `nflog`).
 *
 * One struct tracking for each slot of the flow table, in memory of the meter that is there
 * only when packets are sampled. Conntrack counts one entry at a time; when an entry ends and
 * another begins under the same flow key, its counts are kept in `ended`.
 *
 * What is exact: packets and IP bytes, as of the last counts that were given. Payload bytes of
 * TCP sides of which SYN and FIN were seen (by sequence numbers; the counts tell how often they
 * wrapped), and of protocols with one size of headers (UDP without IP options). Of other TCP
 * sides, unseen payload is unseen bytes less one usual header for each unseen packet.
 */
#ifndef HDR_LITE_TRACKING_H
#define HDR_LITE_TRACKING_H

#include "flow_table.h"

/* One conntrack entry, or news of one. */
struct tracked {
    struct flow_key
        key; /* as packets are seen after de-NAT: src opened it; ports as the kernel's */
    uint8_t icmp_type, icmp_code; /* of the opening direction; key's ports are then unused */
    uint16_t icmp_id;
    uint8_t outside[16]; /* of the translated end, as the other side sees it */
    uint16_t outside_port;
    bool translated;
    bool counted; /* the counters are there */
    uint32_t packets[2];
    uint64_t bytes[2]; /* IP bytes; both by enum direction */
    uint64_t start;    /* ns of traffic time, 0 unknown */
};

/* How it was learnt. */
enum tracked_news {
    TRACKED_OLDER, /* in the dump at start: a flow is opened for it if there is none */
    TRACKED_COUNTS,
    TRACKED_END, /* the entry is gone, these are its last counts */
};

/* What the meter thinks of it. */
enum tracked_flow {
    TRACKED_UNKNOWN,  /* no such flow, or it is not followed by its first packets */
    TRACKED_COMPLETE, /* all packets were seen, as far as is known */
    TRACKED_PARTIAL,  /* there may be unseen packets: ask for counts when it ends */
};

struct tracking_side {
    uint64_t entry_bytes, ended_bytes;
    uint32_t entry_packets, ended_packets;
    uint32_t header;     /* bytes of IP and transport headers of its last packet without SYN */
    uint32_t syn_header; /* of its first with SYN, which has more options; 0: none */
};

struct tracking {
    struct tracking_side side[2];
    uint8_t outside[16];
    uint16_t outside_port;
    bool translated;
};

/* A packet was seen: learn its header size. */
void tracking_packet(struct tracking *t, enum direction from, const struct packet *packet);
/* Take news in; true when a counter moved on. opener: which side of the flow opened the entry. */
bool tracking_take(struct tracking *t, enum direction opener, const struct tracked *news,
                   bool last);
/* Raise a copy of the flow to what conntrack counted; its history ends in '~' where packets were
 * not seen. */
void tracking_raise(const struct tracking *t, struct flow *copy);

#endif
