/* Frames through the whole meter: any bytes, any order, any time.
 *
 * The input is a link type, the sizes, then packets: an operation, a step of the clock, a length
 * and bytes. Records must be whole msgpack arrays; the meter must keep its bounds.
 */
#include "meter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LEAST_FLOWS 4
#define SECOND UINT64_C(1000000000)

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Skip one msgpack value of the forms that record.c writes; false when it is none. */
static bool skip_value(struct cursor *c, unsigned *elements)
{
    uint8_t head, byte;
    uint16_t half;
    *elements = 0;
    if (!cursor_u8(c, &head))
        return false;
    if (head < 0x80 || head == 0xc0 || head == 0xc2 || head == 0xc3)
        return true;
    if ((head & 0xf0) == 0x90) {
        *elements = head & 15;
        return true;
    }
    if ((head & 0xe0) == 0xa0)
        return cursor_skip(c, head & 31);
    switch (head) {
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return cursor_skip(c, 1u << (head - 0xcc));
    case 0xd9:
        return cursor_u8(c, &byte) && cursor_skip(c, byte);
    case 0xda:
        return cursor_u16(c, &half) && cursor_skip(c, half);
    case 0xdc:
        if (!cursor_u16(c, &half))
            return false;
        *elements = half;
        return true;
    default:
        return false;
    }
}

static bool sink_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                     uint32_t length)
{
    struct cursor c = cursor_over(bytes, length);
    uint64_t *last = owner;
    unsigned values = 1, elements;
    require(kind >= RECORD_CONN && kind < RECORD_STATS && length <= RECORD_MAX);
    require(time >= *last);
    *last = time;
    for (; values > 0; values += elements, values--)
        require(skip_value(&c, &elements));
    require(c.left == 0);
    return true;
}

static bool sink_ready(void *owner)
{
    (void)owner;
    return true;
}

static void feed(struct meter *m, int linktype, struct cursor *c)
{
    uint8_t operation, step;
    uint16_t length;
    uint64_t now = SECOND;
    struct cursor frame;
    while (cursor_u8(c, &operation) && cursor_u8(c, &step) && cursor_u16(c, &length)) {
        now += (uint64_t)step * step * step * (operation & 16 ? SECOND / 100 : 1000);
        if (operation & 32)
            now -= now / 4;
        if (operation == 255) {
            require(meter_advance(m, now));
            continue;
        }
        if (length > c->left)
            length = (uint16_t)c->left;
        require(cursor_take(c, length, &frame));
        require(meter_packet(m, linktype, operation & 1, now, length, frame.at, length));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int LINKTYPES[] = {1, 12, 113, 276, 0, 9, 105, 239};
    struct cursor c = cursor_over(data, (uint32_t)size);
    uint8_t linktype, sizes;
    uint64_t last = 0;
    if (!cursor_u8(&c, &linktype) || !cursor_u8(&c, &sizes))
        return 0;
    struct meter_settings settings = {
        .flows = LEAST_FLOWS + (sizes & 15),
        .applications = 1 + (sizes >> 6),
        .sources = 2 + (sizes >> 4),
        .attempt_timeout = 5 * SECOND,
        .tcp_idle = 300 * SECOND,
        .udp_idle = 60 * SECOND,
        .icmp_idle = 60 * SECOND,
        .closed_linger = 5 * SECOND,
        .active_timeout = 100 * SECOND,
        .fold_after = 1 + (sizes >> 5),
        .fold_interval = 10 * SECOND,
    };
    struct record_sink sink = {&last, sink_put, sink_ready, UINT32_MAX};
    size_t bytes = (meter_bytes(&settings) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    require(memory != NULL);
    memset(memory, 0, bytes);
    struct meter *m = meter_init(memory, &settings, sink);
    feed(m, LINKTYPES[linktype % (sizeof LINKTYPES / sizeof LINKTYPES[0])], &c);
    require(meter_flows(m) <= settings.flows);
    require(meter_flush(m));
    require(meter_flows(m) == 0);
    const struct meter_counters *counters = meter_counters(m);
    require(counters->records[RECORD_FLOW] + counters->records[RECORD_FOLDED_FLOW] -
                counters->checkpoints ==
            counters->flows);
    free(memory);
    return 0;
}
