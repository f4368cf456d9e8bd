/* meter_fate.c: what is told of attempts: their start, their fate, and their sums. */
#include "traffic.h"

static void test_refused_and_unanswered(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, true, TCP_RST | TCP_ACK, 0, 101, 0);
    CHECK_STR(last(RECORD_FATE, "7 8 9"), "2 refused 20");
    CHECK(meter_advance(meter, now + 6 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "11 12 21 22"), "REJ Sr end false");

    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    CHECK(meter_advance(meter, now + 5 * SECOND - 1));
    CHECK_EQ(count(RECORD_FATE), 0);
    CHECK(meter_advance(meter, now + 5 * SECOND));
    CHECK_STR(last(RECORD_FATE, "8 9"), "unanswered 0");
    CHECK(meter_advance(meter, now + 11 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "11 12 21"), "S0 S idle");
    CHECK_EQ(count(RECORD_FATE), 1);

    start(); /* told at the end of the input, too */
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FATE, "8"), "unanswered");
    CHECK_STR(last(RECORD_FLOW, "21"), "forced");
}

static void test_replies_that_are_not_captured(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 0);
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 50);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FATE, "8"), "unseen");
}

static void test_streams_that_nobody_answers(void)
{
    start();
    for (unsigned i = 0; i < 7; i++)
        udp_datagram(&WEB, false, 160);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FATE, "8"), "unanswered");
    start();
    for (unsigned i = 0; i < 8; i++)
        udp_datagram(&WEB, false, 160);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FATE, "8"), "unseen");
}

static void test_a_look_whether_a_port_is_open(void)
{
    start(); /* half-open */
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    tcp_segment(&WEB, false, TCP_RST, 101, 0, 0);
    tcp_segment(&WEB, false, TCP_RST, 101, 0, 0);
    CHECK_STR(last(RECORD_FATE, "8"), "abandoned");
    CHECK_EQ(count(RECORD_FATE), 2);

    start(); /* connected; a reset that comes late is no look */
    handshake(&WEB);
    now += 4 * SECOND;
    tcp_segment(&WEB, false, TCP_RST | TCP_ACK, 101, 501, 0);
    CHECK_STR(last(RECORD_FATE, "8"), "answered");

    start(); /* connected, and reset */
    handshake(&WEB);
    tcp_segment(&WEB, false, TCP_RST | TCP_ACK, 101, 501, 0);
    CHECK_STR(last(RECORD_FATE, "8 13"), "abandoned true");

    start(); /* something was said */
    handshake(&WEB);
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 10);
    tcp_segment(&WEB, false, TCP_RST | TCP_ACK, 111, 501, 0);
    CHECK_STR(last(RECORD_FATE, "8"), "answered");
}

static void test_who_leaves_without_a_word(void)
{
    start(); /* it ends as it should, and is told once */
    handshake(&WEB);
    tcp_segment(&WEB, false, TCP_FIN | TCP_ACK, 101, 501, 0);
    CHECK_STR(last(RECORD_FATE, "8 13"), "left true");
    tcp_segment(&WEB, true, TCP_FIN | TCP_ACK, 501, 102, 0);
    tcp_segment(&WEB, false, TCP_ACK, 102, 502, 0);
    CHECK_EQ(count(RECORD_FATE), 2);

    start(); /* the server has greeted */
    handshake(&WEB);
    tcp_segment(&WEB, true, TCP_ACK, 501, 101, 10);
    tcp_segment(&WEB, false, TCP_RST | TCP_ACK, 101, 511, 0);
    CHECK_STR(last(RECORD_FATE, "8"), "left");

    start(); /* no handshake: it acknowledges what was never sent */
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    tcp_segment(&WEB, false, TCP_FIN | TCP_ACK, 101, 7777, 0);
    CHECK_STR(last(RECORD_FATE, "8 13"), "answered false");

    start(); /* after a while, or with words */
    handshake(&WEB);
    now += 4 * SECOND;
    tcp_segment(&WEB, false, TCP_FIN | TCP_ACK, 101, 501, 0);
    CHECK_STR(last(RECORD_FATE, "8"), "answered");
    start();
    handshake(&WEB);
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 10);
    tcp_segment(&WEB, false, TCP_FIN | TCP_ACK, 111, 501, 0);
    CHECK_STR(last(RECORD_FATE, "8"), "answered");
}

static void test_the_abort_of_sctp_is_a_refusal(void)
{
    static const uint8_t chunk[2] = {1, 6};
    start();
    for (unsigned i = 0; i < 2; i++) {
        put_ipv4(i ? OUTSIDE : INSIDE, i ? INSIDE : OUTSIDE, 132, 32);
        put16(34, i ? 80 : 40000);
        put16(36, i ? 40000 : 80);
        frame[46] = chunk[i];
        feed();
    }
    CHECK_STR(last(RECORD_FATE, "8"), "refused");
}

static void test_icmp_errors_tell_the_fate_of_what_they_quote(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    icmp_error(&WEB, 0x0a0000fe, 3, 4, 6);  /* too big is no refusal */
    icmp_error(&WEB, 0x0a0000fe, 11, 0, 6); /* nor is time exceeded */
    CHECK_EQ(count(RECORD_FATE), 0);
    icmp_error(&WEB, 0x0a0000fe, 3, 13, 6);
    CHECK_STR(last(RECORD_FATE, "4 8 9"), "198.51.100.1 refused 0");
    udp_datagram(&WEB, false, 5);
    icmp_error(&WEB, OUTSIDE, 3, 3, 17);
    CHECK_STR(last(RECORD_FATE, "6 8"), "udp refused");
    CHECK_EQ(count(RECORD_CONN), 2); /* and the errors made no flows */
    CHECK_EQ(meter_flows(meter), 2);
}

static void test_a_missing_protocol_is_told_without_its_probe(void)
{
    start();
    icmp_error(&WEB, OUTSIDE, 3, 3, 17); /* a port: may be about anything older */
    CHECK_EQ(count(RECORD_FATE), 0);
    icmp_error(&WEB, OUTSIDE, 3, 2, 132);
    CHECK_STR(last(RECORD_FATE, "2 4 6 8"), "10.0.0.1 198.51.100.1 132 refused");
    icmp_error(&WEB, OUTSIDE, 3, 2, 241); /* no ports */
    CHECK_STR(last(RECORD_FATE, "2 4 6 8"), "10.0.0.1 198.51.100.1 241 refused");
    CHECK_EQ(meter_flows(meter), 0);
    for (unsigned i = 0; i < 200; i++)
        icmp_error(&WEB, OUTSIDE, 3, 2, 47);
    CHECK(count(RECORD_FATE) <= SETTINGS.fold_after); /* and folded as all others are */
}

static void test_probes_of_scans_are_attempts(void)
{
    static const uint8_t PROBES[] = {0, TCP_FIN, TCP_FIN | TCP_PSH | TCP_URG, TCP_ACK,
                                     TCP_FIN | TCP_ACK};
    for (unsigned i = 0; i < sizeof PROBES; i++) {
        char expected[32];
        start();
        tcp_segment(&WEB, false, PROBES[i], 500, 0, 0);
        CHECK_EQ(count(RECORD_CONN), 1);
        CHECK(meter_advance(meter, now + 5 * SECOND));
        snprintf(expected, sizeof expected, "%u unanswered", PROBES[i]);
        CHECK_STR(last(RECORD_FATE, "7 8"), expected);
    }
}

/* Ports of one host; who never hears an answer, or goes on as if, tries none. */
static void test_probes_without_an_answer_are_told(void)
{
    for (unsigned way = 0; way < 3; way++) {
        start();
        for (uint16_t port = 1; port <= 15; port++) {
            const struct conn c = {INSIDE, OUTSIDE, 50000, port};
            now += SECOND / 100;
            tcp_segment(&c, false, TCP_SYN, 1, 0, 0);
            if (way == 1)
                tcp_segment(&c, true, TCP_SYN | TCP_ACK, 9, 2, 0);
            if (way == 2)
                tcp_segment(&c, false, TCP_ACK, 2, 10, 0);
        }
        CHECK_EQ(count(RECORD_PROBES), way == 0);
        if (way == 0)
            CHECK_STR(last(RECORD_PROBES, "1 2 3 5 6 7 9 10 11"),
                      "10.0.0.1 50000 198.51.100.1 tcp 2 1 0 02:00:00:00:00:01 0");
    }
}

static void test_a_scan_is_folded(void)
{
    start();
    for (uint16_t port = 1; port <= 1000; port++) {
        const struct conn c = {INSIDE, OUTSIDE, 50000, port};
        tcp_segment(&c, false, TCP_SYN, 1, 0, 0);
        if (port == 500) { /* the one that is open */
            tcp_segment(&c, true, TCP_SYN | TCP_ACK, 9, 2, 0);
            tcp_segment(&c, false, TCP_RST, 2, 0, 0);
        } else {
            tcp_segment(&c, true, TCP_RST | TCP_ACK, 0, 2, 0);
        }
    }
    CHECK(meter_flush(meter));
    CHECK_EQ(count(RECORD_FATE), 8 + 2); /* the open one is answered, and abandoned */
    CHECK_EQ(count(RECORD_FLOW), 8 + 1);
    CHECK_EQ(count(RECORD_FOLDED_FLOW), 991);
    CHECK_EQ(count(RECORD_CONN), 9);
    CHECK_EQ(count(RECORD_ATTEMPTS), 1);
    CHECK_STR(last(RECORD_ATTEMPTS, "2 3 4 5 6 7 8 9 10"),
              "source 10.0.0.1 198.51.100.1 0 tcp 2 991 991 0");
    CHECK_STR(last(RECORD_ATTEMPTS, "11 13 14"), "1 02:00:00:00:00:01 0");
    long ports = strtol(last(RECORD_ATTEMPTS, "12"), NULL, 10);
    CHECK(ports > 743 && ports < 1239);
    CHECK_EQ(meter_counters(meter)->folded_flows, 991);
}

int main(void)
{
    test_refused_and_unanswered();
    test_replies_that_are_not_captured();
    test_streams_that_nobody_answers();
    test_a_look_whether_a_port_is_open();
    test_who_leaves_without_a_word();
    test_the_abort_of_sctp_is_a_refusal();
    test_icmp_errors_tell_the_fate_of_what_they_quote();
    test_a_missing_protocol_is_told_without_its_probe();
    test_probes_of_scans_are_attempts();
    test_probes_without_an_answer_are_told();
    test_a_scan_is_folded();
    free(memory);
    return check_done();
}
