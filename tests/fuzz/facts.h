/* What the fuzzers of protocol facts share: input cut into packets of both directions of one flow,
 * and a sink that checks each record. The input is a row of packets: a byte of flags (1: from the
 * responder; 2: the segment comes again; 4: a hole before it), a byte of length in units of 8
 * (0: the rest), and the payload.
 */
#ifndef HDR_LITE_FUZZ_FACTS_H
#define HDR_LITE_FUZZ_FACTS_H

#include <stdlib.h>

#include "application.h"

#define FUZZ_SLOTS 2

struct fuzz_world {
    struct record_sink sink;
    struct events events;
    uint8_t secret[16], scratch[RECORD_MAX];
    struct application_pool *pool;
    struct flow flow;
    uint64_t now;
};

static bool fuzz_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                     uint32_t length)
{
    (void)owner;
    (void)time;
    if (kind < RECORD_DNS || kind > RECORD_SSH_LOGIN || length == 0 || length > RECORD_MAX)
        abort();
    /* 12, 15, 18 or 19 fields: a fixed array, or an array behind a 16-bit count */
    if (bytes[0] != 0x9c && bytes[0] != 0x9f &&
        (bytes[0] != 0xdc || (bytes[2] != 18 && bytes[2] != 19)))
        abort();
    return true;
}

static void fuzz_packet(struct fuzz_world *w, const uint8_t *bytes, uint32_t length, uint8_t flags)
{
    struct packet packet;
    enum direction from = flags & 1 ? RESP : ORIG;
    struct flow_side *side = &w->flow.side[from];
    uint8_t *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL)
        abort();
    if (length > 0)
        memcpy(copy, bytes, length);
    memset(&packet, 0, sizeof packet);
    packet.ts = w->now += 1000000;
    packet.proto = w->flow.key.proto;
    packet.tcp_flags = TCP_ACK;
    side->next_seq += flags & 4 ? 700 : 0;
    packet.tcp_seq = side->next_seq;
    packet.payload = cursor_over(copy, length);
    packet.payload_length = length;
    w->flow.last = w->now;
    application_packet(w->pool, &w->flow, from, &packet);
    if (flags & 2) {
        packet.tcp_seq -= length / 2;
        application_packet(w->pool, &w->flow, from, &packet);
    }
    side->next_seq += length;
    free(copy);
}

/* One flow of the protocol to the port, from its first packet to its end. */
static void fuzz_flow(uint8_t proto, uint16_t port, const uint8_t *data, size_t size)
{
    static uint64_t memory[1 << 16];
    static struct fuzz_world world;
    struct fuzz_world *w = &world;
    memset(w, 0, sizeof *w);
    w->sink.put = fuzz_put;
    w->sink.wanted = ~0u;
    if (application_pool_bytes(FUZZ_SLOTS) > sizeof memory)
        abort();
    struct application_context context = {&w->sink, &w->events, w->secret, w->scratch};
    w->pool = application_pool_init(memory, FUZZ_SLOTS, context);
    w->flow.key.proto = proto;
    w->flow.key.sport = 40000;
    w->flow.key.dport = port;
    for (int d = 0; d < 2; d++) {
        w->flow.side[d].next_seq = 1;
        w->flow.side[d].first_flags = TCP_SYN;
    }
    while (size > 2) {
        uint32_t length = data[1] == 0 ? (uint32_t)size - 2 : data[1] * 8u;
        if (length > size - 2)
            length = (uint32_t)size - 2;
        fuzz_packet(w, data + 2, length, data[0]);
        data += 2 + length;
        size -= 2 + length;
    }
    application_end(w->pool, &w->flow, w->now);
    if (w->flow.application != 0)
        abort();
}

#endif
