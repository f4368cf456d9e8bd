/* Any bytes as what the kernel sends: NFLOG's messages and conntrack's, by the first byte. */
#include "conntrack.h"
#include "nflog.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECOND UINT64_C(1000000000)

static bool sink_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                     uint32_t length)
{
    (void)owner;
    (void)time;
    if (kind > RECORD_CLOCK || length == 0 || length > RECORD_MAX || bytes[0] < 0x90)
        abort();
    return true;
}

static bool sink_ready(void *owner)
{
    (void)owner;
    return true;
}

static void take_all(struct meter *m, struct cursor c, bool conntrack)
{
    static struct conntrack connections;
    static struct nflog packets;
    static struct interfaces interfaces;
    uint8_t questions[CONNTRACK_QUERY * 2];
    struct nflog_time time = {1700000000 * SECOND, 0};
    uint16_t length;
    struct cursor datagram;
    interfaces.count = INTERFACES_MOST; /* so that no name is looked up */
    nflog_init(&packets, 0, &interfaces);
    conntrack_init(&connections, SECOND);
    while (cursor_host_u16(&c, &length)) {
        if (!cursor_take(&c, length < c.left ? length : c.left, &datagram))
            abort();
        if (conntrack)
            (void)conntrack_take(&connections, m, datagram, time);
        else
            (void)nflog_take(&packets, m, datagram, time);
        time.now += SECOND / 2;
        if (conntrack_due(&connections, m, time.now, questions, sizeof questions) >
            sizeof questions)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_over(data, (uint32_t)size);
    struct meter_settings settings = {.flows = 8,
                                      .applications = 2,
                                      .sources = 4,
                                      .attempt_timeout = 5 * SECOND,
                                      .tcp_idle = 300 * SECOND,
                                      .udp_idle = 60 * SECOND,
                                      .icmp_idle = 60 * SECOND,
                                      .closed_linger = 5 * SECOND,
                                      .active_timeout = 100 * SECOND,
                                      .fold_after = 4,
                                      .fold_interval = 10 * SECOND,
                                      .first_packets = 2};
    struct record_sink sink = {NULL, sink_put, sink_ready, UINT32_MAX};
    size_t bytes = (meter_bytes(&settings) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    uint8_t which;
    if (memory == NULL || !cursor_u8(&c, &which)) {
        free(memory);
        return 0;
    }
    memset(memory, 0, bytes);
    struct meter *m = meter_init(memory, &settings, sink);
    take_all(m, c, which & 1);
    if (!meter_flush(m) || meter_flows(m) != 0)
        abort();
    free(memory);
    return 0;
}
