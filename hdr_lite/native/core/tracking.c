/* Totals of flows of which only the first packets were seen (tracking.h). */
#include "tracking.h"

void tracking_packet(struct tracking *t, enum direction from, const struct packet *packet)
{
    struct tracking_side *side = &t->side[from];
    if (packet->ip_length < packet->payload_length)
        return;
    uint32_t header = packet->ip_length - packet->payload_length;
    if (packet->proto != IP_PROTO_TCP || !(packet->tcp_flags & TCP_SYN))
        side->header = header;
    else if (side->syn_header == 0)
        side->syn_header = header;
}

/* The entry is over, or another has begun in its place. */
static void settle(struct tracking_side *side)
{
    side->ended_packets += side->entry_packets;
    side->ended_bytes += side->entry_bytes;
    side->entry_packets = 0;
    side->entry_bytes = 0;
}

static bool take_counts(struct tracking_side *side, uint32_t packets, uint64_t bytes)
{
    bool moved = packets != side->entry_packets;
    if (packets < side->entry_packets) /* its end was missed */
        settle(side);
    side->entry_packets = packets;
    side->entry_bytes = bytes;
    return moved;
}

bool tracking_take(struct tracking *t, enum direction opener, const struct tracked *news, bool last)
{
    bool moved = false;
    if (news->translated) {
        memcpy(t->outside, news->outside, sizeof t->outside);
        t->outside_port = news->outside_port;
        t->translated = true;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct tracking_side *side = &t->side[i ^ (unsigned)opener];
        if (news->counted && take_counts(side, news->packets[i], news->bytes[i]))
            moved = true;
        if (last)
            settle(side);
    }
    return moved;
}

/* Payload by sequence numbers, which tell it modulo 2^32; the estimate tells how often they
 * wrapped. */
static uint64_t unwrap(uint32_t by_sequence, uint64_t estimate)
{
    uint64_t wraps = 0;
    if (estimate > by_sequence)
        wraps = (estimate - by_sequence + (UINT64_C(1) << 31)) >> 32;
    return by_sequence + (wraps << 32);
}

static uint64_t payload(const struct flow *flow, const struct flow_side *side, uint64_t estimate)
{
    bool ends_seen = (side->flags & (TCP_SYN | TCP_FIN)) == (TCP_SYN | TCP_FIN);
    if (flow->key.proto == IP_PROTO_TCP && ends_seen)
        return unwrap(side->last_fin - side->first_seq - 1, estimate);
    return estimate > side->payload_bytes ? estimate : side->payload_bytes;
}

/* Bytes of headers of so many packets; of a side of which none was seen, what is usual. */
static uint64_t headers_of(const struct tracking_side *t, const struct flow *flow, uint32_t packets)
{
    static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    uint32_t ip = memcmp(flow->key.src, MAPPED, sizeof MAPPED) == 0 ? 20 : 40;
    uint32_t usual = ip + (flow->key.proto == IP_PROTO_TCP ? 32 : 8);
    uint32_t header = t->header > 0 ? t->header : usual;
    uint64_t all = (uint64_t)packets * header;
    return t->syn_header > 0 && packets > 0 ? all - header + t->syn_header : all;
}

static bool raise_side(const struct tracking_side *t, const struct flow *flow,
                       struct flow_side *side)
{
    uint32_t packets = t->ended_packets + t->entry_packets;
    uint64_t bytes = t->ended_bytes + t->entry_bytes;
    uint64_t headers = headers_of(t, flow, packets);
    if (packets <= side->packets || bytes < side->ip_bytes)
        return false;
    side->payload_bytes = payload(flow, side, bytes > headers ? bytes - headers : 0);
    side->packets = packets;
    side->ip_bytes = bytes;
    return true;
}

void tracking_raise(const struct tracking *t, struct flow *copy)
{
    bool unseen = raise_side(&t->side[ORIG], copy, &copy->side[ORIG]);
    unseen |= raise_side(&t->side[RESP], copy, &copy->side[RESP]);
    if (!unseen)
        return;
    if (copy->history_length + 1u == sizeof copy->history)
        copy->history_length--; /* the mark matters more than the last letter */
    flow_history_add(copy, '~');
}
