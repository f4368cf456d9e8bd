/* A meter whose records are turned into text, field by field, and kept: last() gives the fields
 * that a test asks for by number ("10.0.0.1 443"), joined by blanks.
 */
#ifndef HDR_LITE_TOLD_H
#define HDR_LITE_TOLD_H

#include "check.h"
#include "meter.h"

#include <stdlib.h>

#define SECOND UINT64_C(1000000000)
#define T0 (UINT64_C(1700000000) * SECOND)
#define ALL_KINDS 0xffffffffu
#define MOST_RECORDS 4096
#define FIELDS 26

struct seen {
    enum record_kind kind;
    uint64_t time;
    char fields[FIELDS][48];
};

static struct seen seen[MOST_RECORDS];
static unsigned seen_count;
static bool sink_is_ready = true;
static void *memory;
static struct meter *meter;
static uint64_t now; /* of the next frame */

static inline uint64_t big_endian(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* One scalar as text; returns its bytes. */
static inline uint32_t scalar_text(const uint8_t *at, char *out)
{
    unsigned width = *at >= 0xcc && *at <= 0xcf ? 1u << (*at - 0xcc) : 0;
    uint32_t length = *at == 0xd9 ? at[1] : *at & 31u, head = *at == 0xd9 ? 2 : 1;
    if (*at < 0x80 || width > 0) {
        uint64_t value = width > 0 ? big_endian(at + 1, width) : *at;
        snprintf(out, 48, "%llu", (unsigned long long)value);
        return 1 + width;
    }
    if (*at == 0xc2 || *at == 0xc3) {
        strcpy(out, *at == 0xc3 ? "true" : "false");
        return 1;
    }
    snprintf(out, 48, "%.*s", (int)length, (const char *)at + head);
    return head + length;
}

static inline bool sink_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                            uint32_t length)
{
    const uint8_t *end = bytes + length;
    struct seen *s = &seen[seen_count];
    (void)owner;
    if (seen_count + 1 < MOST_RECORDS)
        seen_count++;
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->time = time;
    bytes += *bytes == 0xdc ? 3 : 1;
    for (unsigned i = 0; i < FIELDS && bytes < end; i++)
        bytes += scalar_text(bytes, s->fields[i]);
    CHECK(bytes == end);
    return true;
}

static inline bool sink_ready(void *owner)
{
    (void)owner;
    return sink_is_ready;
}

static inline unsigned count(enum record_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < seen_count; i++)
        n += seen[i].kind == kind;
    return n;
}

/* Fields of the last record of the kind, by their numbers, joined by blanks. */
static inline const char *last(enum record_kind kind, const char *numbers)
{
    static char text[512];
    text[0] = '\0';
    for (unsigned i = seen_count; i-- > 0;) {
        if (seen[i].kind != kind)
            continue;
        for (const char *at = numbers; *at != '\0';) {
            char *next;
            unsigned long number = strtoul(at, &next, 10);
            strcat(strcat(text, text[0] ? " " : ""), seen[i].fields[number]);
            at = *next == ' ' ? next + 1 : next;
        }
        return text;
    }
    return "none";
}

#define WHO "2 3 4 5 6" /* saddr sport daddr dport proto */
/* A flow's packets and IP bytes of both sides, history, translated address and port, state. */
#define TOTALS "13 14 15 16 12 23 24 11"
#define FIRST_PACKETS 8 /* that a sampling source shows */

static const struct meter_settings SETTINGS = {
    .flows = 64,
    .applications = 16,
    .sources = 64,
    .attempt_timeout = 5 * SECOND,
    .tcp_idle = 300 * SECOND,
    .udp_idle = 60 * SECOND,
    .icmp_idle = 60 * SECOND,
    .closed_linger = 5 * SECOND,
    .active_timeout = 300 * SECOND,
    .fold_after = 8,
    .fold_interval = 10 * SECOND,
    .secret = "sixteen bytes!!",
};

static inline void start_with(const struct meter_settings *settings, uint32_t wanted)
{
    struct record_sink sink = {NULL, sink_put, sink_ready, wanted};
    free(memory);
    size_t bytes = (size_t)meter_bytes(settings);
    memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    memset(memory, 0, bytes);
    meter = meter_init(memory, settings, sink);
    seen_count = 0;
    sink_is_ready = true;
    now = T0;
}

static inline void start(void)
{
    start_with(&SETTINGS, ALL_KINDS);
}

static inline void start_sampling(void)
{
    struct meter_settings settings = SETTINGS;
    settings.first_packets = FIRST_PACKETS;
    start_with(&settings, ALL_KINDS);
}

#endif
