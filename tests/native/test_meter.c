/* meter.c: frames in, flows out. */
#include "traffic.h"

static void test_a_connection_from_start_to_end(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    CHECK_STR(last(RECORD_CONN, WHO), "10.0.0.1 40000 198.51.100.1 9999 tcp");
    CHECK_STR(last(RECORD_CONN, "0 7 8 9 10 11"),
              "1700000000000000000 2 02:00:00:00:00:01 02:00:00:00:00:01 0 0");
    now += SECOND / 10;
    tcp_segment(&WEB, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    CHECK_STR(last(RECORD_FATE, "7 8 9"), "2 answered 18");
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 0);
    tcp_segment(&WEB, false, TCP_ACK | TCP_PSH, 101, 501, 10);
    tcp_segment(&WEB, true, TCP_ACK | TCP_PSH, 501, 111, 30);
    tcp_segment(&WEB, false, TCP_ACK | TCP_FIN, 111, 531, 0);
    now += SECOND / 10;
    tcp_segment(&WEB, true, TCP_ACK | TCP_FIN, 531, 112, 0);
    now += SECOND;
    tcp_segment(&WEB, false, TCP_ACK, 112, 532, 0); /* trails: not counted as duration */
    CHECK_EQ(count(RECORD_FLOW), 0);
    CHECK(meter_advance(meter, now + 6 * SECOND));
    CHECK_STR(last(RECORD_FLOW, WHO), "10.0.0.1 40000 198.51.100.1 9999 tcp");
    /* duration, bytes, state, history, packets, ip bytes, end, handshake */
    CHECK_STR(last(RECORD_FLOW, "8 9 10 11 12 13 14 15 16 21 22"),
              "200000000 10 30 SF ShADdFf 5 3 210 150 end true");
    CHECK_EQ(count(RECORD_CONN), 1);
    CHECK_EQ(count(RECORD_FATE), 1);
    CHECK_EQ(count(RECORD_FLOW), 1);
    CHECK_EQ(meter_flows(meter), 0);
}

static void test_tiny_fragments_are_probes(void)
{
    start();
    put_ipv4(INSIDE, OUTSIDE, 6, 8);
    put16(20, 0x2000);
    put16(34, 40000);
    put16(36, 80);
    put32(38, 100);
    feed();
    tcp_segment(&(struct conn){INSIDE, OUTSIDE, 40000, 80}, true, TCP_RST | TCP_ACK, 0, 101, 0);
    CHECK_STR(last(RECORD_FATE, WHO " 7 8"), "10.0.0.1 40000 198.51.100.1 80 tcp 2 refused");
}

static void test_udp(void)
{
    start();
    udp_datagram(&WEB, false, 5);
    CHECK_STR(last(RECORD_CONN, WHO), "10.0.0.1 40000 198.51.100.1 9999 udp");
    udp_datagram(&WEB, false, 7);
    udp_datagram(&WEB, true, 11);
    CHECK_STR(last(RECORD_FATE, "8 9"), "answered 0");
    CHECK(meter_advance(meter, now + 64 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "9 10 11 12 13 14 15 16 21"), "12 11 SF Dd 2 1 68 39 idle");

    start(); /* a reply first */
    const struct conn reversed = {INSIDE, OUTSIDE, 40000, 53};
    udp_datagram(&reversed, true, 11);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, WHO), "10.0.0.1 40000 198.51.100.1 53 udp");
    CHECK_STR(last(RECORD_FLOW, "11 12"), "SHR ^d");
    CHECK_EQ(count(RECORD_CONN), 0);
    CHECK_EQ(count(RECORD_FATE), 0);

    start(); /* DHCP: both ports are known, but only one is a server's */
    const struct conn lease = {INSIDE, 0x0a0000fe, 68, 67};
    udp_datagram(&lease, true, 300);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, WHO), "10.0.0.1 68 10.0.0.254 67 udp");
    CHECK_EQ(count(RECORD_FATE), 0);
}

static void test_icmp_echo_goes_by_identifier(void)
{
    start();
    put_echo(INSIDE, OUTSIDE, 8, 77);
    feed();
    CHECK_STR(last(RECORD_CONN, WHO), "10.0.0.1 8 198.51.100.1 0 icmp");
    put_echo(OUTSIDE, INSIDE, 0, 78);
    feed();
    CHECK_EQ(count(RECORD_FATE), 0);
    put_echo(OUTSIDE, INSIDE, 0, 77);
    feed();
    CHECK_STR(last(RECORD_FATE, "3 8"), "8 answered");
    CHECK_EQ(meter_flows(meter), 2);
    CHECK(meter_flush(meter));
    CHECK_EQ(count(RECORD_CONN), 1); /* a reply alone is nobody's attempt */
    CHECK_EQ(count(RECORD_FATE), 1);
}

static void test_what_is_nobodys_attempt(void)
{
    start(); /* SYN-ACK: its receiver would be the originator */
    tcp_segment(&WEB, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, WHO), "10.0.0.1 40000 198.51.100.1 9999 tcp");
    CHECK_STR(last(RECORD_FLOW, "11 12"), "OTH ^h");
    CHECK_EQ(count(RECORD_CONN) + count(RECORD_FATE), 0);

    start(); /* RST */
    tcp_segment(&WEB, false, TCP_RST, 500, 0, 0);
    CHECK(meter_flush(meter));
    CHECK_EQ(count(RECORD_CONN) + count(RECORD_FATE), 0);

    start(); /* data in the middle, unanswered */
    tcp_segment(&WEB, false, TCP_ACK | TCP_PSH, 500, 7, 100);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "9 11 12"), "100 OTH D");
    CHECK_EQ(count(RECORD_CONN) + count(RECORD_FATE), 0);

    start(); /* one side of a running download */
    for (uint32_t i = 0; i < 10; i++)
        tcp_segment(&WEB, false, TCP_ACK, 500, 7 + i, 0);
    CHECK(meter_flush(meter));
    CHECK_EQ(count(RECORD_FATE), 0);

    start(); /* to all hosts */
    const struct conn everybody = {INSIDE, 0xefffffffu, 1900, 1900};
    udp_datagram(&everybody, false, 5);
    CHECK(meter_flush(meter));
    CHECK_EQ(count(RECORD_CONN), 1);
    CHECK_EQ(count(RECORD_FATE), 0);
}

static void test_a_forged_reset_ends_nothing(void)
{
    start();
    handshake(&WEB);
    tcp_segment(&WEB, true, TCP_RST, 900000, 0, 0);
    CHECK(meter_advance(meter, now + 100 * SECOND));
    CHECK_EQ(count(RECORD_FLOW), 0);
    tcp_segment(&WEB, true, TCP_RST, 501, 0, 0);
    CHECK(meter_advance(meter, now + 106 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "11 12 22"), "RSTR ShArr true");
}

static void test_ports_are_used_again(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, true, TCP_RST | TCP_ACK, 0, 101, 0);
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0); /* the same SYN again */
    CHECK_EQ(count(RECORD_CONN), 1);
    tcp_segment(&WEB, false, TCP_SYN, 90000, 0, 0);
    CHECK_EQ(count(RECORD_CONN), 2);
    CHECK_STR(last(RECORD_FLOW, "11 13"), "REJ 2");
    char first[48];
    strcpy(first, last(RECORD_FLOW, "1"));
    CHECK(strcmp(first, last(RECORD_CONN, "1")) != 0);
}

static void test_a_flow_that_is_overdue_ends_when_met(void)
{
    start();
    udp_datagram(&WEB, false, 5);
    udp_datagram(&WEB, true, 5);
    now += 64 * SECOND;
    udp_datagram(&WEB, false, 5);
    CHECK_EQ(count(RECORD_FLOW), 1);
    CHECK_EQ(count(RECORD_CONN), 2);
}

static void test_a_long_flow_has_checkpoints(void)
{
    start();
    handshake(&WEB);
    for (uint32_t i = 0; i < 10; i++) {
        now += 100 * SECOND;
        tcp_segment(&WEB, false, TCP_ACK | TCP_PSH, 101 + 10 * i, 501, 10);
    }
    CHECK_EQ(count(RECORD_FLOW), 3);
    CHECK_STR(last(RECORD_FLOW, "8 9 11 21"), "900000000000 90 S1 active");
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "9 21"), "100 forced");
    CHECK_EQ(meter_counters(meter)->checkpoints, 3);
}

static void test_a_full_table_retires_the_stalest(void)
{
    start();
    handshake(&WEB);
    for (unsigned i = 0; i < 200; i++) {
        const struct conn c = {INSIDE + 1 + i, OUTSIDE, 1000, 7777};
        tcp_segment(&c, false, TCP_SYN, 1, 0, 0);
    }
    CHECK_EQ(meter_flows(meter), 64);
    CHECK_EQ(meter_counters(meter)->evicted_flows, 137);
    CHECK_EQ(meter_counters(meter)->table_peak, 64);
    CHECK_STR(last(RECORD_FLOW, "21"), "resources");
    tcp_segment(&WEB, false, TCP_ACK | TCP_PSH, 101, 501, 5);
    CHECK(meter_flush(meter));
    /* The established connection outlived the flood. */
    unsigned established = 0;
    for (unsigned i = 0; i < seen_count; i++)
        established += seen[i].kind == RECORD_FLOW && strcmp(seen[i].fields[11], "S1") == 0;
    CHECK_EQ(established, 1);
}

static void test_arp(void)
{
    start();
    memset(frame, 0, sizeof frame);
    memcpy(frame, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\1\x08\x06", 14);
    memcpy(frame + 14, "\0\1\x08\0\6\4\0\1\x02\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2", 28);
    frame_length = 60;
    feed();
    CHECK_STR(last(RECORD_ARP, "1 2 3 4 5 6 7 8 9"),
              "request 02:00:00:00:00:01 10.0.0.1 00:00:00:00:00:00 10.0.0.2 02:00:00:00:00:01 "
              "ff:ff:ff:ff:ff:ff 0 0");
}

static void test_a_copy_on_another_interface_is_not_counted(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    interface = 1;
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, true, TCP_SYN | TCP_ACK, 500, 101, 0); /* seen there first */
    interface = 0;
    tcp_segment(&WEB, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "12 13 14 20"), "Sh 1 1 0");
    CHECK_EQ(meter_counters(meter)->copied_packets, 2);
}

static void test_other_protocols_and_what_is_not_followed(void)
{
    start();
    put_ipv4(INSIDE, OUTSIDE, 50, 40); /* ESP */
    feed();
    CHECK_STR(last(RECORD_CONN, WHO), "10.0.0.1 0 198.51.100.1 0 50");
    put_ipv4(INSIDE, OUTSIDE, 6, 10); /* a TCP header cut short */
    feed();
    put_ipv4(INSIDE, OUTSIDE, 17, 40);
    put16(20, 100); /* a later fragment */
    feed();
    CHECK_EQ(meter_flows(meter), 1);
    CHECK_EQ(meter_counters(meter)->other_packets, 2);
    CHECK_EQ(meter_counters(meter)->packets, 3);
}

/* The secret of the hash tables differs from run to run and shows in nothing. */
static void test_the_secret_of_the_hash_shows_nowhere(void)
{
    static struct seen before[MOST_RECORDS];
    struct meter_settings settings = SETTINGS;
    unsigned records = 0;
    for (unsigned run = 0; run < 2; run++) {
        memset(settings.hash_secret, (int)(run * 77), sizeof settings.hash_secret);
        start_with(&settings, ALL_KINDS);
        for (uint32_t i = 0; i < 500; i++) {
            now += SECOND / 10;
            tcp_segment(&(struct conn){INSIDE, OUTSIDE + i % 90, (uint16_t)(40000 + i), 80}, false,
                        TCP_SYN, 1, 0, 0);
        }
        CHECK(meter_flush(meter));
        CHECK(run == 0 || seen_count == records);
        CHECK(run == 0 || memcmp(before, seen, records * sizeof *seen) == 0);
        records = seen_count;
        memcpy(before, seen, sizeof before);
    }
    CHECK(records > 100);
}

/* More than 32 bits can count is told as such, also where pointers have no more. */
static void test_sizes_do_not_wrap(void)
{
    struct meter_settings settings = SETTINGS;
    settings.flows = settings.applications = settings.sources = 1u << 22;
    CHECK(meter_bytes(&settings) > UINT64_C(20) << 30);
}

int main(void)
{
    test_a_connection_from_start_to_end();
    test_tiny_fragments_are_probes();
    test_udp();
    test_icmp_echo_goes_by_identifier();
    test_what_is_nobodys_attempt();
    test_a_forged_reset_ends_nothing();
    test_ports_are_used_again();
    test_a_flow_that_is_overdue_ends_when_met();
    test_a_long_flow_has_checkpoints();
    test_a_full_table_retires_the_stalest();
    test_arp();
    test_a_copy_on_another_interface_is_not_counted();
    test_other_protocols_and_what_is_not_followed();
    test_the_secret_of_the_hash_shows_nowhere();
    test_sizes_do_not_wrap();
    free(memory);
    return check_done();
}
