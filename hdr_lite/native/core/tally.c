/* Counting frames by layer, and distinct conversations by fingerprint (tally.h).
 *
 * A fingerprint is SipHash-1-3 over whole words under the caller's key, so that the
 * author of a capture cannot make all of them fall into one place.
 */
#include "tally.h"

/* One packet adds at most a pair, three tuples, and two each for a SYN and a fragment. */
#define NEW_PER_PACKET 8u

/* What a fingerprint is of: its domain, so that one set serves all. */
enum domain {
    DOMAIN_PAIR = 1,
    DOMAIN_TUPLE,
    DOMAIN_OPENED, /* a tuple and direction that began with a SYN */
    DOMAIN_SYN,    /* ... and with which sequence number */
    DOMAIN_FIRST,  /* a fragmented datagram whose first part was seen */
    DOMAIN_LAST,   /* ... whose last part was */
    DOMAIN_WHOLE,  /* ... of which both were */
};

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static uint64_t fingerprint(const uint64_t key[2], const uint64_t *words, unsigned count)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};

    for (unsigned i = 0; i < count; i++) {
        v[3] ^= words[i];
        sip_round(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    uint64_t h = v[0] ^ v[1] ^ v[2] ^ v[3];
    return h != 0 ? h : 1;
}

/* One end of a conversation: address and port as words, the same on every machine. */
struct end {
    uint64_t high, low;
    uint32_t port;
};

static struct end end_of(const uint8_t address[16], uint16_t port)
{
    struct end e = {
        .high = (uint64_t)be32(address) << 32 | be32(address + 4),
        .low = (uint64_t)be32(address + 8) << 32 | be32(address + 12),
        .port = port,
    };
    return e;
}

static bool end_before(const struct end *a, const struct end *b)
{
    if (a->high != b->high)
        return a->high < b->high;
    if (a->low != b->low)
        return a->low < b->low;
    return a->port < b->port;
}

/* Of two ends in this order; extra is whatever else sets the thing apart. */
static uint64_t fingerprint_of(const struct tally *t, enum domain domain, uint8_t protocol,
                               const struct end *a, const struct end *b, uint32_t extra)
{
    uint64_t tag = (uint64_t)domain << 40 | (uint64_t)protocol << 32 | extra;
    uint64_t ports = (uint64_t)a->port << 32 | b->port;

    if ((a->high | b->high) == 0) { /* IPv4, and the like of ::1 */
        uint64_t words[4] = {a->low, b->low, ports, tag};
        return fingerprint(t->key, words, 4);
    }
    uint64_t words[6] = {a->high, a->low, b->high, b->low, ports, tag};
    return fingerprint(t->key, words, 6);
}

static bool is_known(const struct tally *t, uint64_t print)
{
    uint32_t mask = t->capacity - 1;

    for (uint32_t at = (uint32_t)print & mask; t->slots[at] != 0; at = (at + 1) & mask)
        if (t->slots[at] == print)
            return true;
    return false;
}

/* Whether a fingerprint was not there yet. The upper quarter of the slots stays free,
 * so the search ends. */
static bool is_new(struct tally *t, uint64_t print)
{
    uint32_t mask = t->capacity - 1;
    uint32_t at = (uint32_t)print & mask;

    while (t->slots[at] != 0) {
        if (t->slots[at] == print)
            return false;
        at = (at + 1) & mask;
    }
    if (t->used >= t->capacity / 4 * 3) {
        t->facts.uncounted++;
        return false;
    }
    t->slots[at] = print;
    t->used++;
    return true;
}

bool tally_init(struct tally *t, int linktype, const uint64_t key[2], struct tally_memory memory)
{
    memset(t, 0, sizeof *t);
    t->linktype = linktype;
    t->memory = memory;
    t->key[0] = key[0];
    t->key[1] = key[1];
    t->most = TALLY_SLOTS_MOST;
    t->capacity = TALLY_SLOTS_LEAST;
    t->slots = memory.take(TALLY_SLOTS_LEAST);
    return t->slots != NULL;
}

void tally_end(struct tally *t)
{
    if (t->slots != NULL)
        t->memory.give_back(t->slots);
    t->slots = NULL;
}

/* Move the set to memory twice as large; without it the set stays as large as it is. */
static void grow(struct tally *t)
{
    uint64_t *old = t->slots;
    uint32_t count = t->capacity;
    uint64_t *slots = t->memory.take(count * 2);

    if (slots == NULL) {
        t->most = count;
        return;
    }
    t->slots = slots;
    t->capacity = count * 2;
    t->used = 0;
    for (uint32_t i = 0; i < count; i++)
        if (old[i] != 0)
            (void)is_new(t, old[i]);
    t->memory.give_back(old);
}

static void count_layers(struct tally_facts *f, uint32_t layers)
{
    f->ip4 += (layers & LAYER_IP4) != 0;
    f->ip6 += (layers & LAYER_IP6) != 0;
    f->tcp += (layers & LAYER_TCP) != 0;
    f->udp += (layers & LAYER_UDP) != 0;
    f->icmp += (layers & LAYER_ICMP) != 0;
    f->icmp6 += (layers & LAYER_ICMP6) != 0;
    f->arp += (layers & LAYER_ARP) != 0;
    f->frag += (layers & LAYER_FRAGMENT) != 0;
    f->other += (layers & (LAYER_IP4 | LAYER_IP6 | LAYER_ARP)) == 0;
}

static void count_pair(struct tally *t, const uint8_t src[16], const uint8_t dst[16])
{
    struct end a = end_of(src, 0), b = end_of(dst, 0);
    bool turned = end_before(&b, &a);
    uint64_t print = fingerprint_of(t, DOMAIN_PAIR, 0, turned ? &b : &a, turned ? &a : &b, 0);

    if (print == t->last_pair)
        return;
    t->last_pair = print;
    t->facts.ip_pairs += is_new(t, print);
}

/* A TCP conversation begins anew when its tuple is opened with another sequence number. */
static uint64_t reopened(struct tally *t, const struct end *from, const struct end *to,
                         uint32_t sequence)
{
    uint64_t opened = fingerprint_of(t, DOMAIN_OPENED, IP_PROTO_TCP, from, to, 0);
    uint64_t syn = fingerprint_of(t, DOMAIN_SYN, IP_PROTO_TCP, from, to, sequence);

    if (!is_new(t, syn))
        return 0;
    return is_new(t, opened) ? 0 : 1;
}

/* version: of the IP header that the ports are under. whole: the transport header made sense;
 * otherwise its ports count, but make no conversation. */
static void count_tuple(struct tally *t, uint8_t protocol, const struct end *from,
                        const struct end *to, uint8_t version, bool whole)
{
    struct tally_facts *f = &t->facts;
    const struct packet *p = &t->packet;
    bool tcp = protocol == IP_PROTO_TCP;
    bool turned = end_before(to, from);
    uint64_t print = fingerprint_of(t, DOMAIN_TUPLE, protocol, turned ? to : from,
                                    turned ? from : to, version == 4 ? 4 : 6);
    uint64_t conversations = 0;

    if (print != t->last_tuple) {
        t->last_tuple = print;
        conversations = is_new(t, print);
        *(tcp ? &f->tcp_tuples : &f->udp_tuples) += conversations;
    }
    if (!whole)
        return;
    if (tcp && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        conversations += reopened(t, from, to, p->tcp_seq);
    if (version == 4)
        *(tcp ? &f->tcp4 : &f->udp4) += conversations;
    else
        *(tcp ? &f->tcp6 : &f->udp6) += conversations;
}

static bool is_mapped(const uint8_t address[16])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(address, prefix, sizeof prefix) == 0;
}

static void count_outer(struct tally *t, const struct outer_flow *outer)
{
    struct end a = end_of(outer->src, outer->sport), b = end_of(outer->dst, outer->dport);

    if (outer->proto == IP_PROTO_UDP)
        count_tuple(t, IP_PROTO_UDP, &a, &b, is_mapped(outer->src) ? 4 : 6, true);
}

static uint32_t layer_of(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTO_TCP:
        return LAYER_TCP;
    case IP_PROTO_UDP:
        return LAYER_UDP;
    case IP_PROTO_ICMP:
        return LAYER_ICMP;
    case IP_PROTO_ICMP6:
        return LAYER_ICMP6;
    default:
        return 0;
    }
}

/* A fragmented datagram holds its transport once, in the frame that completes it: here, in
 * the later of its first and its last part. A part that is not whole completes nothing, and
 * what it holds is its own. */
static uint32_t layers_of_fragment(struct tally *t, bool whole_part)
{
    const struct packet *p = &t->packet;
    struct end a = end_of(p->src, 0), b = end_of(p->dst, 0);
    uint64_t first = fingerprint_of(t, DOMAIN_FIRST, p->proto, &a, &b, p->fragment_id);
    uint64_t last = fingerprint_of(t, DOMAIN_LAST, p->proto, &a, &b, p->fragment_id);
    uint64_t whole = fingerprint_of(t, DOMAIN_WHOLE, p->proto, &a, &b, p->fragment_id);
    uint32_t layers = p->layers;

    if (!whole_part)
        return layers;
    if (!p->later_fragment)
        layers &= ~layer_of(p->proto);
    if (p->later_fragment && !p->last_fragment)
        return layers;
    (void)is_new(t, p->last_fragment ? last : first);
    if (is_known(t, first) && is_known(t, last) && is_new(t, whole))
        layers |= layer_of(p->proto);
    return layers;
}

static bool has_ports(uint8_t protocol)
{
    return protocol == IP_PROTO_TCP || protocol == IP_PROTO_UDP;
}

void tally_packet(struct tally *t, uint32_t wire_length, const uint8_t *bytes, uint32_t captured)
{
    struct packet *p = &t->packet;
    struct tally_facts *f = &t->facts;

    if (t->used + NEW_PER_PACKET > t->capacity / 4 * 3 && t->capacity < t->most)
        grow(t);
    p->wire_length = wire_length;
    p->captured_length = captured;
    f->frames++;
    f->bytes += wire_length;
    f->captured += captured;
    bool sound = decode_packet(p, t->linktype, bytes, captured, &t->events) == 0;
    f->malformed += !sound;
    if (p->kind != PACKET_IP && p->kind != PACKET_IMPOSSIBLE) {
        count_layers(f, p->layers);
        return;
    }
    if (p->fragment)
        count_layers(f, layers_of_fragment(t, sound && captured == wire_length));
    else
        count_layers(f, p->layers);
    if (p->outers > 0)
        count_pair(t, p->outer[0].src, p->outer[0].dst);
    else
        count_pair(t, p->src, p->dst);
    for (unsigned i = 0; i < p->outers; i++)
        count_outer(t, &p->outer[i]);
    if (has_ports(p->proto) && p->has_ports) {
        struct end a = end_of(p->src, p->sport), b = end_of(p->dst, p->dport);
        count_tuple(t, p->proto, &a, &b, p->ip_version, p->has_transport || p->fragment);
    }
}
