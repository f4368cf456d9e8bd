/* meter_tell.c: records reach the sink in order, within bounds, and when they are wanted. */
#include "traffic.h"

static void test_time_never_goes_back(void)
{
    start();
    udp_datagram(&WEB, false, 5);
    now -= 1000 * SECOND;
    udp_datagram(&WEB, true, 5);
    CHECK_EQ(meter_now(meter), T0);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "0 8"), "1700000000000000000 0");
    for (unsigned i = 1; i < seen_count; i++)
        CHECK(seen[i].time >= seen[i - 1].time);
}

static void test_the_clock_is_told(void)
{
    start();
    handshake(&WEB);
    unsigned before = seen_count;
    now += 3 * SECOND;
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 0);
    CHECK_EQ(seen_count, before + 1);
    CHECK_STR(last(RECORD_CLOCK, "0"), "1700000003000000000");
    CHECK(meter_advance(meter, now + SECOND));
    CHECK_STR(last(RECORD_CLOCK, "0"), "1700000004000000000");
    before = seen_count;
    CHECK(meter_advance(meter, now + SECOND));
    CHECK_EQ(seen_count, before);
}

static void test_a_flood_of_forged_packets_is_told_in_bounds(void)
{
    start_with(&SETTINGS, ALL_KINDS & ~(1u << RECORD_FOLDED_FLOW));
    for (uint32_t i = 0; i < 20000; i++) {
        const struct conn c = {0x2d000000 + 7919 * i, OUTSIDE, (uint16_t)(i * 31),
                               (uint16_t)(i * 17)};
        now += 100000; /* 10,000 a second */
        tcp_segment(&c, false, i % 2 ? TCP_SYN : TCP_ACK | TCP_PSH, i, 0, i % 2 ? 0 : 10);
    }
    CHECK(meter_flush(meter));
    unsigned told = count(RECORD_CONN) + count(RECORD_FATE) + count(RECORD_FLOW);
    CHECK(told <= (256 + 16 + 16 + 16) * 8);
    CHECK(count(RECORD_ATTEMPTS) > 0);
    CHECK_EQ(meter_counters(meter)->flows, 20000);
}

static void test_a_waiting_meter_does_nothing_without_room(void)
{
    struct meter_settings settings = SETTINGS;
    settings.wait = true;
    start_with(&settings, ALL_KINDS);
    handshake(&WEB);
    unsigned before = seen_count;
    sink_is_ready = false;
    CHECK(!feed_at(now));
    CHECK(!meter_advance(meter, now + 1000 * SECOND));
    CHECK(!meter_flush(meter));
    CHECK_EQ(seen_count, before);
    CHECK_EQ(meter_counters(meter)->packets, 3);
    sink_is_ready = true;
    CHECK(feed_at(now));
    CHECK(meter_flush(meter));
    CHECK_EQ(meter_flows(meter), 0);
}

static void test_only_what_is_wanted_is_made(void)
{
    start_with(&SETTINGS, 1u << RECORD_FLOW);
    handshake(&WEB);
    CHECK(meter_flush(meter));
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(count(RECORD_FLOW), 1);
    CHECK_EQ(meter_counters(meter)->records[RECORD_FLOW], 1);
    CHECK_EQ(meter_counters(meter)->records[RECORD_CONN], 0);
}

/* Requests of 16 bytes each: no more of them are told than of as many bytes in small packets. */
static void test_a_packet_of_many_requests_is_told_in_bounds(void)
{
    const char request[] = "GET / HTTP/1.0\n\n";
    start();
    handshake(&WEB);
    for (uint32_t packet = 0; packet < 2; packet++) {
        put_tcp(&WEB, false, TCP_ACK | TCP_PSH, 101 + packet * 1456, 501, 1456);
        for (unsigned i = 0; i < 91; i++)
            memcpy(frame + 54 + 16 * i, request, 16);
        feed();
        CHECK_EQ(count(RECORD_HTTP), (packet + 1) * (32 + 1456 / 64));
    }
    CHECK_EQ(meter_counters(meter)->suppressed, 2 * (91 - 32 - 1456 / 64) - 4); /* 4 are pending */
}

static size_t told_bytes;

static bool weigh_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                      uint32_t length)
{
    (void)owner, (void)kind, (void)time, (void)bytes;
    told_bytes += length;
    return true;
}

/* A question whose name is as long as its text can become; each flow asks another. */
static void ask(uint16_t sport, uint16_t id)
{
    const struct conn c = {INSIDE, OUTSIDE, sport, 53};
    const uint8_t labels[] = {63, 63, 63, 61, 0};
    uint32_t at = 54;
    put_ipv4(c.client, c.server, 17, 8 + 271);
    put16(34, sport);
    put16(36, 53);
    put16(38, 8 + 271);
    put16(42, id);
    put16(44, 0x0100);
    put16(46, 1);
    for (unsigned i = 0; i < sizeof labels; i++) {
        frame[at++] = labels[i];
        memset(frame + at, 1, labels[i]);
        at += labels[i];
    }
    put32(at, 0x00010001);
    feed();
}

/* Flows that end together, each with all the questions that it may have open. */
static void test_a_packet_never_tells_more_than_a_burst(void)
{
    struct meter_settings settings = SETTINGS;
    struct record_sink sink = {NULL, weigh_put, sink_ready, ALL_KINDS};
    settings.applications = 512;
    start_with(&settings, ALL_KINDS);
    memset(memory, 0, (size_t)meter_bytes(&settings));
    meter = meter_init(memory, &settings, sink);
    for (uint16_t flow = 0; flow < 4; flow++)
        for (uint16_t id = 0; id < 64; id++)
            ask((uint16_t)(5000 + flow), id);
    for (unsigned i = 0; i < 4; i++) {
        told_bytes = 0;
        now += 100 * SECOND;
        tcp_segment(&WEB, false, TCP_SYN, 100 + i, 0, 0);
        CHECK(told_bytes <= RECORD_BURST);
    }
    CHECK_EQ(meter_flows(meter), 1);
    CHECK(meter_counters(meter)->suppressed > 50);
}

int main(void)
{
    test_time_never_goes_back();
    test_the_clock_is_told();
    test_a_flood_of_forged_packets_is_told_in_bounds();
    test_a_waiting_meter_does_nothing_without_room();
    test_only_what_is_wanted_is_made();
    test_a_packet_of_many_requests_is_told_in_bounds();
    test_a_packet_never_tells_more_than_a_burst();
    free(memory);
    return check_done();
}
