/* The biflow table: preallocated slots, one hash, one list per timeout.
 *
 * Memory is fixed at start; a full table retires its stalest flow (evicted,
 * counted). Slots are found by a keyed hash of the flow key and linked into one
 * list per timeout class; as each list has one timeout, its head is always the
 * next to expire.
 */
#ifndef HDR_LITE_FLOW_TABLE_H
#define HDR_LITE_FLOW_TABLE_H

#include "flow_key.h"
#include "packet.h"

enum direction { ORIG = 0, RESP = 1 };

/* The fate of a connection (DESIGN.md): known once, reported once. */
enum flow_fate { FATE_PENDING = 0, FATE_ANSWERED, FATE_REFUSED, FATE_UNANSWERED };

/* IPFIX flowEndReason (RFC 5102, 5.11.3). */
enum flow_end { END_IDLE = 1, END_ACTIVE = 2, END_OF_FLOW = 3, END_FORCED = 4, END_RESOURCES = 5 };

struct flow_side {
    uint8_t mac[6];
    uint32_t packets;
    uint64_t payload_bytes; /* by the headers, retransmissions not counted for TCP */
    uint64_t ip_bytes;
    uint32_t first_seq, next_seq; /* TCP: initial sequence number; next expected */
    uint32_t acked;               /* highest acknowledgement this side has sent */
    uint8_t flags;                /* TCP flags seen, ored */
    uint8_t first_flags;          /* TCP flags of its first packet */
};

struct flow {
    struct flow_key key;            /* src is the originator */
    uint64_t start, last, reported; /* ns of traffic time; reported: last record about totals */
    uint64_t serial;                /* counts flows: part of the uid */
    struct flow_side side[2];
    char history[24]; /* Zeek's letters, NUL terminated */
    uint8_t history_length;
    uint8_t fate;      /* enum flow_fate */
    uint8_t tcp_state; /* meter.c's */
    bool has_mac;
    bool handshake;  /* the originator acknowledged the responder's sequence number */
    bool folded;     /* its attempt went into a sum */
    bool mid_stream; /* first packet was not a connection's first */
    uint16_t vlan, interface;
    uint8_t service;                       /* enum service, 0 unknown */
    uint32_t application;                  /* application.c: slot index + 1, 0 none */
    uint32_t next_in_bucket, older, newer; /* slot index + 1, 0 none */
    uint8_t list;                          /* which timeout list it is on */
};

/* The flow's identifier: 'C' and 17 letters of base 62, from key, start and serial.
 * out holds at least 19 bytes. */
void flow_uid(const struct flow *flow, const uint8_t secret[16], char *out);

#endif
