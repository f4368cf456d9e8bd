/* Netlink messages for the tests, written attribute by attribute in the kernel's form. */
#ifndef HDR_LITE_MESSAGES_H
#define HDR_LITE_MESSAGES_H

#include "check.h"
#include "meter.h"
#include "netlink.h"

#include <stdlib.h>

#define SECOND UINT64_C(1000000000)
#define T0 (UINT64_C(1700000000) * SECOND)
#define MESSAGE_MOST 4096

struct made {
    uint8_t bytes[MESSAGE_MOST];
    uint32_t length;
};

static inline void put(struct made *m, const void *bytes, uint32_t length)
{
    memcpy(m->bytes + m->length, bytes, length);
    m->length += length;
}

static inline void put_u16(struct made *m, uint16_t value)
{
    put(m, &value, 2);
}

static inline void put_u32(struct made *m, uint32_t value)
{
    put(m, &value, 4);
}

static inline void put_padding(struct made *m)
{
    while (m->length % 4 != 0)
        m->bytes[m->length++] = 0;
}

/* Begin a message; end() with what it returned sets the length. */
static inline uint32_t begin_message(struct made *m, uint16_t type, uint32_t sequence)
{
    uint32_t at = m->length;
    put_u32(m, 0);
    put_u16(m, type);
    put_u16(m, 0);
    put_u32(m, sequence);
    put_u32(m, 0);
    return at;
}

static inline void end_message(struct made *m, uint32_t at)
{
    uint32_t length = m->length - at;
    memcpy(m->bytes + at, &length, 4);
    put_padding(m);
}

/* nfgenmsg: family, version, a group's number. */
static inline void put_family(struct made *m, uint8_t family, uint16_t group)
{
    uint8_t bytes[4] = {family, 0, (uint8_t)(group >> 8), (uint8_t)group};
    put(m, bytes, 4);
}

static inline void put_attribute(struct made *m, uint16_t type, const void *value, uint32_t length)
{
    put_u16(m, (uint16_t)(length + 4));
    put_u16(m, type);
    put(m, value, length);
    put_padding(m);
}

static inline uint32_t begin_nested(struct made *m, uint16_t type)
{
    uint32_t at = m->length;
    put_u16(m, 0);
    put_u16(m, type | 0x8000);
    return at;
}

static inline void end_nested(struct made *m, uint32_t at)
{
    uint16_t length = (uint16_t)(m->length - at);
    memcpy(m->bytes + at, &length, 2);
}

/* A value in network order, so many bytes wide. */
static inline void put_number(struct made *m, uint16_t type, uint64_t value, uint32_t bytes)
{
    uint8_t out[8];
    for (uint32_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    put_attribute(m, type, out, bytes);
}

/* A copy of exactly that length, so that AddressSanitizer sees a read past it. */
static inline struct cursor exact(const struct made *m, uint32_t length)
{
    static uint8_t *last;
    free(last);
    last = malloc(length ? length : 1);
    if (last == NULL)
        abort();
    memcpy(last, m->bytes, length);
    return cursor_over(last, length);
}

/* A meter whose last records are kept as bytes, by kind. */

#define FIRST_PACKETS 8

static uint8_t record[RECORD_KINDS][RECORD_MAX];
static uint32_t record_length[RECORD_KINDS];
static unsigned record_count[RECORD_KINDS];

static inline bool keep_record(void *owner, enum record_kind kind, uint64_t time,
                               const uint8_t *bytes, uint32_t length)
{
    (void)owner;
    (void)time;
    memcpy(record[kind], bytes, length);
    record_length[kind] = length;
    record_count[kind]++;
    return true;
}

static inline bool always_ready(void *owner)
{
    (void)owner;
    return true;
}

static inline struct meter *new_meter(void)
{
    static void *memory;
    struct meter_settings settings = {
        .flows = 16,
        .applications = 4,
        .sources = 16,
        .attempt_timeout = 5 * SECOND,
        .tcp_idle = 300 * SECOND,
        .udp_idle = 60 * SECOND,
        .icmp_idle = 60 * SECOND,
        .closed_linger = 5 * SECOND,
        .active_timeout = 300 * SECOND,
        .fold_after = 8,
        .fold_interval = 10 * SECOND,
        .first_packets = FIRST_PACKETS,
    };
    struct record_sink sink = {NULL, keep_record, always_ready, UINT32_MAX};
    free(memory);
    size_t bytes = (meter_bytes(&settings) + 63) & ~(size_t)63;
    memory = aligned_alloc(64, bytes);
    if (memory == NULL)
        abort();
    memset(memory, 0, bytes);
    memset(record_count, 0, sizeof record_count);
    return meter_init(memory, &settings, sink);
}

/* Field `number` of the last record of a kind, as text. */
static inline const char *field(enum record_kind kind, unsigned number)
{
    static char text[256];
    struct cursor c = cursor_over(record[kind], record_length[kind]);
    uint8_t head = 0, byte = 0;
    uint16_t fields;
    (void)cursor_u8(&c, &head);
    if (head == 0xdc)
        (void)cursor_u16(&c, &fields);
    for (unsigned i = 0; cursor_u8(&c, &head); i++) {
        uint32_t length = head == 0xd9 && cursor_u8(&c, &byte) ? byte : head & 31u;
        uint32_t width = head >= 0xcc && head <= 0xcf ? 1u << (head - 0xcc) : 0;
        uint64_t value = head;
        if (head == 0xc2 || head == 0xc3) {
            snprintf(text, sizeof text, "%s", head == 0xc3 ? "true" : "false");
        } else if (head < 0x80 || width > 0) {
            for (value = width > 0 ? 0 : value; width > 0 && cursor_u8(&c, &byte); width--)
                value = value << 8 | byte;
            snprintf(text, sizeof text, "%llu", (unsigned long long)value);
        } else {
            snprintf(text, sizeof text, "%.*s", (int)length, (const char *)c.at);
            (void)cursor_skip(&c, length);
        }
        if (i == number)
            return text;
    }
    return "none";
}

enum { /* numbers of a flow's fields */
       FLOW_SADDR = 2,
       FLOW_SPORT,
       FLOW_DADDR,
       FLOW_DPORT,
       FLOW_SBYTES = 9,
       FLOW_DBYTES,
       FLOW_STATE,
       FLOW_HISTORY,
       FLOW_SPKTS,
       FLOW_DPKTS,
       FLOW_SIPBYTES,
       FLOW_DIPBYTES,
       FLOW_SMAC,
       FLOW_INTERFACE = 20,
       FLOW_END,
       FLOW_OUTSIDE = 23,
       FLOW_OUTSIDE_PORT,
};

#endif
