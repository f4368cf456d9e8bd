/* tracking.c: what conntrack counted, put on what was seen. */
#include "tracking.h"

#include "check.h"

static struct flow flow;
static struct tracking tracking;

static void start(uint8_t proto, uint32_t packets, uint64_t bytes)
{
    memset(&flow, 0, sizeof flow);
    memset(&tracking, 0, sizeof tracking);
    flow.key.proto = proto;
    flow.side[ORIG].packets = packets;
    flow.side[ORIG].ip_bytes = bytes;
    flow.history[0] = 'D';
    flow.history_length = 1;
}

static void see(uint8_t proto, uint8_t flags, uint32_t length, uint32_t payload)
{
    struct packet packet;
    memset(&packet, 0, sizeof packet);
    packet.proto = proto;
    packet.tcp_flags = flags;
    packet.ip_length = length;
    packet.payload_length = payload;
    tracking_packet(&tracking, ORIG, &packet);
}

static bool take(uint32_t packets, uint64_t bytes, bool last)
{
    struct tracked news;
    memset(&news, 0, sizeof news);
    news.counted = true;
    news.packets[0] = packets;
    news.bytes[0] = bytes;
    return tracking_take(&tracking, ORIG, &news, last);
}

static void test_nothing_known(void)
{
    start(IP_PROTO_UDP, 3, 300);
    tracking_raise(&tracking, &flow);
    CHECK_EQ(flow.side[ORIG].packets, 3);
    CHECK_STR(flow.history, "D");
}

static void test_all_seen(void)
{
    start(IP_PROTO_UDP, 3, 300);
    CHECK(take(3, 300, false));
    CHECK(!take(3, 300, false));
    tracking_raise(&tracking, &flow);
    CHECK_EQ(flow.side[ORIG].ip_bytes, 300);
    CHECK_STR(flow.history, "D");
}

static void test_unseen_datagrams(void)
{
    start(IP_PROTO_UDP, 3, 384);
    flow.side[ORIG].payload_bytes = 300;
    see(IP_PROTO_UDP, 0, 128, 100);
    (void)take(10, 10 * 528, false);
    tracking_raise(&tracking, &flow);
    CHECK_EQ(flow.side[ORIG].packets, 10);
    CHECK_EQ(flow.side[ORIG].ip_bytes, 5280);
    CHECK_EQ(flow.side[ORIG].payload_bytes, 5000);
    CHECK_STR(flow.history, "D~");
}

/* An entry timed out and another began: its end was told, or missed. */
static void test_entries_add_up(void)
{
    for (int told = 0; told < 2; told++) {
        start(IP_PROTO_UDP, 3, 300);
        (void)take(10, 1000, told);
        (void)take(2, 200, false);
        tracking_raise(&tracking, &flow);
        CHECK_EQ(flow.side[ORIG].packets, 12);
        CHECK_EQ(flow.side[ORIG].ip_bytes, 1200);
    }
}

static void test_a_stream_that_wrapped(void)
{
    static const uint64_t SIZES[] = {100000, UINT64_C(3) << 31, UINT64_C(5) << 32};
    for (unsigned i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        uint64_t size = SIZES[i], packets = size / 1400 + 1;
        start(IP_PROTO_TCP, 9, 5000);
        flow.side[ORIG].flags = TCP_SYN | TCP_FIN | TCP_ACK;
        flow.side[ORIG].first_seq = 4000000000u;
        flow.side[ORIG].last_fin = (uint32_t)(4000000000u + 1 + size);
        see(IP_PROTO_TCP, TCP_SYN, 60, 0);
        see(IP_PROTO_TCP, TCP_ACK, 52, 0);
        (void)take((uint32_t)packets + 3, size + (packets + 3) * 52 + 9 * 1400, false);
        tracking_raise(&tracking, &flow);
        CHECK_EQ(flow.side[ORIG].payload_bytes, size); /* nine segments were sent twice */
    }
}

static void test_a_stream_without_its_end(void)
{
    start(IP_PROTO_TCP, 9, 5000);
    flow.side[ORIG].flags = TCP_SYN | TCP_ACK;
    see(IP_PROTO_TCP, TCP_SYN, 60, 0);
    see(IP_PROTO_TCP, TCP_ACK, 1452, 1400);
    (void)take(101, 60 + 100 * 1452, false);
    tracking_raise(&tracking, &flow);
    CHECK_EQ(flow.side[ORIG].payload_bytes, 100 * 1400);
}

static void test_the_mark_has_room(void)
{
    start(IP_PROTO_UDP, 1, 100);
    while (flow.history_length + 1u < sizeof flow.history)
        flow_history_add(&flow, 'T');
    (void)take(10, 1000, false);
    tracking_raise(&tracking, &flow);
    CHECK_EQ(flow.history[flow.history_length - 1], '~');
    CHECK_EQ(flow.history_length, sizeof flow.history - 1);
}

static void test_counts_that_make_no_sense(void)
{
    start(IP_PROTO_TCP, 9, 5000);
    flow.side[ORIG].payload_bytes = 4000;
    (void)take(UINT32_MAX, 5001, false);
    tracking_raise(&tracking, &flow);
    CHECK_EQ(flow.side[ORIG].payload_bytes, 4000);
    (void)take(10, UINT64_MAX, true);
    (void)take(10, UINT64_MAX, true);
    tracking_raise(&tracking, &flow);
}

int main(void)
{
    test_nothing_known();
    test_all_seen();
    test_unseen_datagrams();
    test_entries_add_up();
    test_a_stream_that_wrapped();
    test_a_stream_without_its_end();
    test_the_mark_has_room();
    test_counts_that_make_no_sense();
    return check_done();
}
