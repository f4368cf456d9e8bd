/* meter_conntrack.c: what the kernel's table tells of flows, straight to the meter; conntrack.c's
 * tests read it from the kernel's messages. */
#include "traffic.h"

static struct tracked news_of(const struct conn *c, uint32_t sent, uint32_t received)
{
    struct tracked news = {
        .key = {.sport = c->sport, .dport = c->dport, .proto = IP_PROTO_TCP},
        .counted = true,
        .packets = {sent, received},
        .bytes = {40 * sent, 40 * received},
    };
    const uint32_t ends[2] = {c->client, c->server};
    for (unsigned end = 0; end < 2; end++) {
        uint8_t *address = end ? news.key.dst : news.key.src;
        address[10] = address[11] = 0xff;
        for (unsigned i = 0; i < 4; i++)
            address[12 + i] = (uint8_t)(ends[end] >> (24 - 8 * i));
    }
    return news;
}

static void see(bool reply, uint8_t flags, uint32_t seq, uint32_t ack)
{
    put_tcp(&WEB, reply, flags, seq, ack, 0);
    CHECK(meter_sampled_packet(meter, 1, interface, now, frame_length, frame, frame_length));
}

static void see_first_packets(void)
{
    see(false, TCP_SYN, 100, 0);
    see(true, TCP_SYN | TCP_ACK, 500, 101);
    for (unsigned i = 1; i < FIRST_PACKETS; i++)
        see(false, TCP_ACK, 101, 501);
}

static void test_only_sampled_flows_are_known(void)
{
    const struct tracked news = news_of(&WEB, 30, 20);
    start(); /* no source that samples */
    handshake(&WEB);
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_OLDER, now), TRACKED_UNKNOWN);
    start_sampling();
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_UNKNOWN);
    handshake(&WEB); /* of a source that shows all */
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_UNKNOWN);
    CHECK_EQ(meter_flows(meter), 1);
}

static void test_partial_once_the_first_packets_are_there(void)
{
    const struct tracked news = news_of(&WEB, 1, 0);
    start_sampling();
    see(false, TCP_SYN, 100, 0);
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_COMPLETE);
    see_first_packets();
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_PARTIAL);
}

static void test_counts_keep_a_flow_alive_and_its_end_ends_it(void)
{
    struct tracked news = news_of(&WEB, 30, 20);
    start_sampling();
    see_first_packets();
    for (unsigned i = 0; i < 5; i++) {
        now += 250 * SECOND;
        news.packets[0]++;
        CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_PARTIAL);
    }
    CHECK_EQ(meter_now(meter), now);
    CHECK_STR(last(RECORD_FLOW, "13 14 21"), "34 20 active");
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_END, now), TRACKED_PARTIAL);
    CHECK_EQ(meter_flows(meter), 1); /* its last packets may still be on their way */
    CHECK(meter_advance(meter, now + 6 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "13 14 21"), "35 20 idle");
    CHECK_EQ(meter_flows(meter), 0);
}

static void test_an_older_flow_begins_when_the_kernel_says(void)
{
    struct tracked news = news_of(&WEB, 30, 20);
    news.start = T0 - 100 * SECOND;
    start_sampling();
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_OLDER, now), TRACKED_PARTIAL);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "0 8 13 14"), "1699999900000000000 100000000000 30 20");
    CHECK_EQ(count(RECORD_CONN) + count(RECORD_FATE), 0);
}

/* Ports are used again: an entry that is older than the flow's first packet was another's, but
 * for what two clocks may differ. */
static void test_late_news_are_of_another_flow(void)
{
    struct tracked news = news_of(&WEB, 30, 20);
    start_sampling();
    see(false, TCP_SYN, 100, 0);
    news.start = T0 - SECOND;
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_UNKNOWN);
    news.start = T0 - SECOND / 10;
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_COMPLETE);
}

static void test_an_echo_is_known_by_its_identifier(void)
{
    struct tracked news = news_of(&WEB, 3, 3);
    news.key.proto = IP_PROTO_ICMP;
    news.icmp_type = 8;
    news.icmp_id = 78;
    start_sampling();
    put_echo(INSIDE, OUTSIDE, 8, 77);
    CHECK(meter_sampled_packet(meter, 1, interface, now, frame_length, frame, frame_length));
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_UNKNOWN);
    news.icmp_id = 77;
    CHECK_EQ(meter_conntrack(meter, &news, TRACKED_COUNTS, now), TRACKED_COMPLETE);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "13 14"), "3 3");
}

int main(void)
{
    test_only_sampled_flows_are_known();
    test_partial_once_the_first_packets_are_there();
    test_counts_keep_a_flow_alive_and_its_end_ends_it();
    test_an_older_flow_begins_when_the_kernel_says();
    test_late_news_are_of_another_flow();
    test_an_echo_is_known_by_its_identifier();
    free(memory);
    return check_done();
}
