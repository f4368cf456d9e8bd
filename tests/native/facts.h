/* A small world around application_packet(): flows made by hand, payloads given as text, and the
 * records that come out, printed as text to compare with. Records are kept one a line, like
 * `dns [1000,"uid",...]`; the fields before the protocol's own are left out of facts_told().
 */
#ifndef HDR_LITE_TEST_FACTS_H
#define HDR_LITE_TEST_FACTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "check.h"

#define FACTS_COMMON 7 /* ts uid saddr sport daddr dport proto */

struct facts {
    struct record_sink sink;
    struct events events;
    uint8_t secret[16], scratch[RECORD_MAX];
    struct application_pool *pool;
    uint32_t largest; /* longest record so far */
    char told[1 << 16];
    size_t used;
};

static inline void facts_print(struct facts *f, const char *text, size_t n)
{
    if (f->used + n >= sizeof f->told)
        n = sizeof f->told - 1 - f->used;
    memcpy(f->told + f->used, text, n);
    f->used += n;
    f->told[f->used] = '\0';
}

static inline uint64_t facts_big_endian(const uint8_t **at, unsigned n)
{
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | *(*at)++;
    return value;
}

/* Print one msgpack value; `skip` leading elements of the outermost array are passed over. */
static inline void facts_value(struct facts *f, const uint8_t **at, unsigned skip)
{
    char text[32];
    uint8_t format = *(*at)++;
    uint64_t n = 0;
    enum { ARRAY, TEXT, NUMBER, WORD } kind = NUMBER;
    if (format < 0x80)
        n = format;
    else if (format >= 0x90 && format < 0xa0)
        kind = ARRAY, n = format & 15;
    else if (format >= 0xa0 && format < 0xc0)
        kind = TEXT, n = format & 31;
    else if (format == 0xdc || format == 0xdd)
        kind = ARRAY, n = facts_big_endian(at, format == 0xdc ? 2 : 4);
    else if (format >= 0xd9 && format <= 0xdb)
        kind = TEXT, n = facts_big_endian(at, 1u << (format - 0xd9));
    else if (format >= 0xcc && format <= 0xcf)
        n = facts_big_endian(at, 1u << (format - 0xcc));
    else
        kind = WORD;
    if (kind == ARRAY) {
        size_t start;
        facts_print(f, "[", 1);
        start = f->used;
        for (uint64_t i = 0; i < n; i++) {
            if (i == skip) {
                f->used = start;
                f->told[start] = '\0';
            } else if (i > 0) {
                facts_print(f, ",", 1);
            }
            facts_value(f, at, 0);
        }
        facts_print(f, "]", 1);
    } else if (kind == TEXT) {
        facts_print(f, "\"", 1);
        facts_print(f, (const char *)*at, (size_t)n);
        facts_print(f, "\"", 1);
        *at += n;
    } else if (kind == NUMBER) {
        int length = snprintf(text, sizeof text, "%llu", (unsigned long long)n);
        facts_print(f, text, (size_t)length);
    } else {
        const char *word = format == 0xc0 ? "nil" : format == 0xc3 ? "yes" : "no";
        facts_print(f, word, strlen(word));
    }
}

static inline bool facts_put(void *owner, enum record_kind kind, uint64_t time,
                             const uint8_t *bytes, uint32_t length)
{
    static const char *const names[] = {"dns ", "http ", "tls ", "ssh ", "login "};
    struct facts *f = owner;
    (void)time;
    if (length > f->largest)
        f->largest = length;
    if (f->used > 0)
        facts_print(f, "\n", 1);
    facts_print(f, names[kind - RECORD_DNS], strlen(names[kind - RECORD_DNS]));
    const uint8_t *at = bytes;
    facts_value(f, &at, FACTS_COMMON);
    CHECK_EQ(at - bytes, length);
    return true;
}

static inline bool facts_ready(void *owner)
{
    (void)owner;
    return true;
}

#define FACTS_ALL (1u << RECORD_DNS | 1u << RECORD_HTTP | 1u << RECORD_TLS | 1u << RECORD_SSH)

static inline struct facts *facts_new(uint32_t slots, uint32_t wanted)
{
    struct facts *f = calloc(1, sizeof *f);
    f->sink.owner = f;
    f->sink.put = facts_put;
    f->sink.ready = facts_ready;
    f->sink.wanted = wanted;
    struct application_context context = {&f->sink, &f->events, f->secret, f->scratch};
    f->pool = application_pool_init(malloc(application_pool_bytes(slots)), slots, context);
    return f;
}

static inline void facts_free(struct facts *f)
{
    free(f->pool);
    free(f);
}

/* What was told since the last call. */
static inline const char *facts_told(struct facts *f)
{
    f->used = 0;
    return f->told;
}

#define FACTS_STARTS(f, text) (strncmp((f)->told, text, sizeof(text) - 1) == 0)

static inline void facts_forget(struct facts *f)
{
    f->used = 0;
    f->told[0] = '\0';
}

/* A flow 192.0.2.1:sport -> 192.0.2.2:dport; TCP flows began with a handshake at sequence
 * numbers 1000 and 5000. */
static inline void facts_flow(struct flow *flow, uint8_t proto, uint16_t sport, uint16_t dport)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memset(flow, 0, sizeof *flow);
    memcpy(flow->key.src, mapped, 12);
    memcpy(flow->key.dst, mapped, 12);
    memcpy(flow->key.src + 12, (const uint8_t[]){192, 0, 2, 1}, 4);
    memcpy(flow->key.dst + 12, (const uint8_t[]){192, 0, 2, 2}, 4);
    flow->key.proto = proto;
    flow->key.sport = sport;
    flow->key.dport = dport;
    if (proto == IP_PROTO_TCP) {
        flow->handshake = true;
        for (int d = 0; d < 2; d++) {
            flow->side[d].first_seq = flow->side[d].next_seq = d == ORIG ? 1000 : 5000;
            flow->side[d].next_seq++;
            flow->side[d].first_flags = d == ORIG ? TCP_SYN : TCP_SYN | TCP_ACK;
        }
    }
}

/* A packet at a sequence offset (0: the first payload byte). */
static inline void facts_packet_at(struct facts *f, struct flow *flow, enum direction direction,
                                   uint64_t now, uint32_t offset, const void *bytes,
                                   uint32_t captured, uint32_t length)
{
    struct packet packet;
    /* A copy of exactly this size, so that the address sanitizer sees a step too far. */
    uint8_t *copy = malloc(captured > 0 ? captured : 1);
    memcpy(copy, bytes, captured);
    memset(&packet, 0, sizeof packet);
    packet.ts = now;
    packet.proto = flow->key.proto;
    packet.tcp_flags = TCP_ACK;
    packet.tcp_seq = (direction == ORIG ? 1001u : 5001u) + offset;
    packet.payload = cursor_over(copy, captured);
    packet.payload_length = length;
    flow->start = flow->start ? flow->start : now;
    flow->last = now;
    flow->side[direction].packets++;
    flow->side[direction].payload_bytes += length;
    application_packet(f->pool, flow, direction, &packet);
    free(copy);
}

/* The next packet of the direction, in order. */
static inline void facts_packet(struct facts *f, struct flow *flow, enum direction direction,
                                uint64_t now, const void *bytes, uint32_t length)
{
    struct flow_side *side = &flow->side[direction];
    uint32_t offset = side->next_seq - (direction == ORIG ? 1001u : 5001u);
    facts_packet_at(f, flow, direction, now, offset, bytes, length, length);
    side->next_seq += length;
}

static inline void facts_say(struct facts *f, struct flow *flow, enum direction direction,
                             uint64_t now, const char *text)
{
    facts_packet(f, flow, direction, now, text, (uint32_t)strlen(text));
}

/* Bytes from hex digits; blanks are passed over. Returns how many. */
static inline uint32_t facts_hex(uint8_t *out, const char *hex)
{
    uint32_t n = 0;
    unsigned byte;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ' || *hex == '\n')
            continue;
        if (sscanf(hex, "%2x", &byte) != 1)
            break;
        out[n++] = (uint8_t)byte;
        hex++;
    }
    return n;
}

#endif
