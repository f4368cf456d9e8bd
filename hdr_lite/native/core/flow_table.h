/* The biflow table: preallocated slots, one hash, one list per timeout.
 *
 * Memory is fixed at start. Slots are found by a keyed hash of the flow key and
 * linked into one list per timeout class, oldest first; as a list has one timeout,
 * its head is always the next to expire. A packet moves its flow to the end of its
 * list only when a sixteenth of the timeout has passed since the last move, so that
 * most packets touch no neighbour; a flow thus ends between one timeout and 17/16 of
 * it after its last packet, and always at the same moment for the same packets.
 *
 * When all slots are taken the stalest flow goes: first of those that are over
 * anyway, else of the class that holds most slots, so that a flood of half-open
 * connections displaces itself and not the connections in use.
 */
#ifndef HDR_LITE_FLOW_TABLE_H
#define HDR_LITE_FLOW_TABLE_H

#include <stddef.h>

#include "flow_key.h"
#include "packet.h"

enum direction { ORIG = 0, RESP = 1 };

/* The fate of a connection (DESIGN.md): known once, reported once; but one that was answered may
 * be given up by its originator before he said anything, which is told as well. */
enum flow_fate {
    FATE_PENDING = 0,
    FATE_ANSWERED,
    FATE_REFUSED,
    FATE_UNANSWERED,
    FATE_ABANDONED, /* reset, and nothing was said on either side */
    FATE_LEFT,      /* ended after a whole handshake; the responder may have spoken */
};

/* IPFIX flowEndReason (RFC 5102, 5.11.3). */
enum flow_end { END_IDLE = 1, END_ACTIVE = 2, END_OF_FLOW = 3, END_FORCED = 4, END_RESOURCES = 5 };

/* Timeout classes. */
enum flow_list {
    LIST_ATTEMPT = 0, /* fate pending: never moved, so that the timeout counts from the start */
    LIST_CLOSED,      /* over, kept for its last packets */
    LIST_TCP,
    LIST_UDP, /* and all protocols that are not named here */
    LIST_ICMP,
    FLOW_LISTS
};

struct flow_side {
    uint64_t payload_bytes; /* by the headers, retransmissions not counted for TCP */
    uint64_t ip_bytes;
    uint32_t packets;
    uint32_t first_seq, next_seq; /* TCP: initial sequence number; next expected */
    uint32_t acked;               /* highest acknowledgement this side has sent */
    uint32_t hole, hole_end;      /* oldest range not seen; equal: none */
    uint32_t last_fin, last_reset;
    uint16_t retransmissions, zero_windows, gaps; /* up to UINT16_MAX */
    uint16_t interface;                           /* where its first packet was seen */
    uint8_t mac[6];
    uint8_t flags;           /* TCP flags seen, ored */
    uint8_t first_flags;     /* TCP flags of its first packet */
    uint8_t state, previous; /* enum tcp_end */
    uint8_t letters;         /* which letters history has of it: tcp_state.c's bits */
};

struct flow {
    struct flow_key key; /* src is the originator */
    uint32_t hash;
    uint32_t next_in_bucket, older, newer; /* slot index + 1, 0 none */
    uint64_t touched;                      /* clock when it was put where it is in its list */
    uint64_t start, last, reported; /* ns of traffic time; reported: last record about totals */
    uint64_t serial;                /* counts flows: part of the uid */
    struct flow_side side[2];
    char history[24];     /* Zeek's letters, NUL terminated */
    uint32_t application; /* application.c: slot index + 1, 0 none */
    uint16_t vlan, interface;
    uint8_t history_length;
    uint8_t list;    /* enum flow_list */
    uint8_t fate;    /* enum flow_fate */
    uint8_t service; /* enum service, 0 unknown */
    uint8_t icmp_type, icmp_code;
    bool has_mac;
    bool handshake; /* the originator acknowledged the responder's sequence number */
    bool opening;   /* its first packet asked for something */
    bool attempt;   /* its fate is to be told: an opening, and not to a group of hosts */
    bool folded;    /* its attempt went into a sum */
    bool sampled;   /* the kernel shows only some of its packets (tracking.h) */
    bool gone;      /* the kernel's entry of it is no more */
};
_Static_assert(sizeof(struct flow) <= 320, "five cache lines");

struct flow_list_ends {
    uint32_t oldest, newest, count;
};

struct flow_table {
    struct flow *slots;
    uint32_t *buckets; /* a power of two of them; slot index + 1 */
    uint32_t bucket_mask, size, used;
    uint32_t free, fresh; /* chain of slots given back; slots that were ever used */
    struct flow_list_ends lists[FLOW_LISTS];
    uint64_t timeouts[FLOW_LISTS], slack[FLOW_LISTS];
    uint64_t due_at; /* nothing is due before */
    uint64_t serial;
};

uint64_t flow_table_bytes(uint32_t slots);
/* Memory of flow_table_bytes(), zeroed and aligned to 64, stays the caller's. */
void flow_table_init(struct flow_table *t, void *memory, uint32_t slots,
                     const uint64_t timeouts[FLOW_LISTS]);
/* The flow of that key in either direction; which one it is goes to *direction. */
struct flow *flow_table_find(const struct flow_table *t, const struct flow_key *key, uint32_t hash,
                             enum direction *direction);
/* A new flow, all zeros but for key, hash, serial and its place in the list; NULL when full. */
struct flow *flow_table_add(struct flow_table *t, const struct flow_key *key, uint32_t hash,
                            enum flow_list list, uint64_t now);
void flow_table_remove(struct flow_table *t, struct flow *flow);
/* Which of the slots holds the flow. */
uint32_t flow_table_slot(const struct flow_table *t, const struct flow *flow);
/* A packet came, or the class changed: see the note on moves above. */
void flow_table_touch(struct flow_table *t, struct flow *flow, enum flow_list list, uint64_t now);
bool flow_table_is_due(const struct flow_table *t, const struct flow *flow, uint64_t now);
/* A flow whose timeout has passed, or NULL. */
struct flow *flow_table_due(struct flow_table *t, uint64_t now);
/* Any flow, the oldest of the first list that has one; NULL when empty. */
struct flow *flow_table_first(const struct flow_table *t);
/* The flow to retire when all slots are taken. */
struct flow *flow_table_stalest(const struct flow_table *t);

/* Append a letter; past the end of the field it is forgotten. */
void flow_history_add(struct flow *flow, char letter);
/* The flow's identifier: 'C' and 17 letters of base 62, from key, start and serial.
 * out holds at least 19 bytes. */
void flow_uid(const struct flow *flow, const uint8_t secret[16], char *out);

#endif
