/* meter.c: frames in, records out.
 *
 * Frames are Ethernet, made here; records are turned into lines of text ("FATE 10 10.0.0.1 ...":
 * kind, then the fields that the test asks for by number) and compared as such.
 */
#include "meter.h"

#include <stdlib.h>

#include "check.h"

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
static struct meter *m;
static uint64_t now; /* of the next frame */

/* Records */

static uint64_t big_endian(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* One scalar as text; returns its bytes. */
static uint32_t scalar_text(const uint8_t *at, char *out)
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

static bool sink_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
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

static bool sink_ready(void *owner)
{
    (void)owner;
    return sink_is_ready;
}

static unsigned count(enum record_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < seen_count; i++)
        n += seen[i].kind == kind;
    return n;
}

/* Fields of the last record of the kind, by their numbers, joined by blanks. */
static const char *last(enum record_kind kind, const char *numbers)
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

/* The meter */

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

static void start_with(const struct meter_settings *settings, uint32_t wanted)
{
    struct record_sink sink = {NULL, sink_put, sink_ready, wanted};
    free(memory);
    size_t bytes = (size_t)meter_bytes(settings);
    memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    memset(memory, 0, bytes);
    m = meter_init(memory, settings, sink);
    seen_count = 0;
    sink_is_ready = true;
    now = T0;
}

static void start(void)
{
    start_with(&SETTINGS, ALL_KINDS);
}

/* Frames */

#define INSIDE 0x0a000001u
#define OUTSIDE 0xc6336401u

static uint8_t frame[2048];
static uint32_t frame_length;
static uint16_t interface;

static void put16(uint32_t at, uint32_t value)
{
    frame[at] = (uint8_t)(value >> 8);
    frame[at + 1] = (uint8_t)value;
}

static void put32(uint32_t at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* Ethernet and IPv4 heads; the rest of the frame is zeros. */
static void put_ipv4(uint32_t src, uint32_t dst, uint8_t proto, uint32_t length)
{
    memset(frame, 0, sizeof frame);
    memcpy(frame, "\x02\0\0\0\0", 5);
    frame[5] = (uint8_t)dst;
    memcpy(frame + 6, "\x02\0\0\0\0", 5);
    frame[11] = (uint8_t)src;
    put16(12, 0x0800);
    frame[14] = 0x45;
    put16(16, 20 + length);
    frame[22] = 64;
    frame[23] = proto;
    put32(26, src);
    put32(30, dst);
    frame_length = 34 + length;
}

static bool feed_at(uint64_t ts)
{
    return meter_packet(m, 1, interface, ts, frame_length, frame, frame_length);
}

static void feed(void)
{
    CHECK(feed_at(now));
}

struct conn {
    uint32_t client, server;
    uint16_t sport, dport;
};

static const struct conn WEB = {INSIDE, OUTSIDE, 40000, 9999};

static void put_tcp(const struct conn *c, bool reply, uint8_t flags, uint32_t seq, uint32_t ack,
                    uint32_t payload)
{
    put_ipv4(reply ? c->server : c->client, reply ? c->client : c->server, 6, 20 + payload);
    put16(34, reply ? c->dport : c->sport);
    put16(36, reply ? c->sport : c->dport);
    put32(38, seq);
    put32(42, ack);
    frame[46] = 0x50;
    frame[47] = flags;
    put16(48, 1000);
}

static void tcp_segment(const struct conn *c, bool reply, uint8_t flags, uint32_t seq, uint32_t ack,
                        uint32_t payload)
{
    put_tcp(c, reply, flags, seq, ack, payload);
    feed();
}

static void udp_datagram(const struct conn *c, bool reply, uint32_t payload)
{
    put_ipv4(reply ? c->server : c->client, reply ? c->client : c->server, 17, 8 + payload);
    put16(34, reply ? c->dport : c->sport);
    put16(36, reply ? c->sport : c->dport);
    put16(38, 8 + payload);
    feed();
}

static void put_echo(uint32_t src, uint32_t dst, uint8_t type, uint16_t identifier)
{
    put_ipv4(src, dst, 1, 16);
    frame[34] = type;
    put16(38, identifier);
}

/* An ICMP error from `from` to the client, about the first packet of the connection. */
static void icmp_error(const struct conn *c, uint32_t from, uint8_t type, uint8_t code,
                       uint8_t proto)
{
    put_ipv4(from, c->client, 1, 8 + 28);
    frame[34] = type;
    frame[35] = code;
    frame[42] = 0x45;
    put16(44, 28);
    frame[51] = proto;
    put32(54, c->client);
    put32(58, c->server);
    put16(62, c->sport);
    put16(64, c->dport);
    feed();
}

static void handshake(const struct conn *c)
{
    tcp_segment(c, false, TCP_SYN, 100, 0, 0);
    tcp_segment(c, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    tcp_segment(c, false, TCP_ACK, 101, 501, 0);
}

/* Tests */

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
    CHECK(meter_advance(m, now + 6 * SECOND));
    CHECK_STR(last(RECORD_FLOW, WHO), "10.0.0.1 40000 198.51.100.1 9999 tcp");
    /* duration, bytes, state, history, packets, ip bytes, end, handshake */
    CHECK_STR(last(RECORD_FLOW, "8 9 10 11 12 13 14 15 16 21 22"),
              "200000000 10 30 SF ShADdFf 5 3 210 150 end true");
    CHECK_EQ(count(RECORD_CONN), 1);
    CHECK_EQ(count(RECORD_FATE), 1);
    CHECK_EQ(count(RECORD_FLOW), 1);
    CHECK_EQ(meter_flows(m), 0);
}

static void test_refused_and_unanswered(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, true, TCP_RST | TCP_ACK, 0, 101, 0);
    CHECK_STR(last(RECORD_FATE, "7 8 9"), "2 refused 20");
    CHECK(meter_advance(m, now + 6 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "11 12 21 22"), "REJ Sr end false");

    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    CHECK(meter_advance(m, now + 5 * SECOND - 1));
    CHECK_EQ(count(RECORD_FATE), 0);
    CHECK(meter_advance(m, now + 5 * SECOND));
    CHECK_STR(last(RECORD_FATE, "8 9"), "unanswered 0");
    CHECK(meter_advance(m, now + 11 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "11 12 21"), "S0 S idle");
    CHECK_EQ(count(RECORD_FATE), 1);

    start(); /* told at the end of the input, too */
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FATE, "8"), "unanswered");
    CHECK_STR(last(RECORD_FLOW, "21"), "forced");
}

static void test_replies_that_are_not_captured(void)
{
    start();
    tcp_segment(&WEB, false, TCP_SYN, 100, 0, 0);
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 0);
    tcp_segment(&WEB, false, TCP_ACK, 101, 501, 50);
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FATE, "8"), "unseen");
}

static void test_streams_that_nobody_answers(void)
{
    start();
    for (unsigned i = 0; i < 7; i++)
        udp_datagram(&WEB, false, 160);
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FATE, "8"), "unanswered");
    start();
    for (unsigned i = 0; i < 8; i++)
        udp_datagram(&WEB, false, 160);
    CHECK(meter_flush(m));
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
    CHECK_EQ(meter_flows(m), 2);
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
    CHECK_EQ(meter_flows(m), 0);
    for (unsigned i = 0; i < 200; i++)
        icmp_error(&WEB, OUTSIDE, 3, 2, 47);
    CHECK(count(RECORD_FATE) <= SETTINGS.fold_after); /* and folded as all others are */
}

static void test_udp(void)
{
    start();
    udp_datagram(&WEB, false, 5);
    CHECK_STR(last(RECORD_CONN, WHO), "10.0.0.1 40000 198.51.100.1 9999 udp");
    udp_datagram(&WEB, false, 7);
    udp_datagram(&WEB, true, 11);
    CHECK_STR(last(RECORD_FATE, "8 9"), "answered 0");
    CHECK(meter_advance(m, now + 64 * SECOND));
    CHECK_STR(last(RECORD_FLOW, "9 10 11 12 13 14 15 16 21"), "12 11 SF Dd 2 1 68 39 idle");

    start(); /* a reply first */
    const struct conn reversed = {INSIDE, OUTSIDE, 40000, 53};
    udp_datagram(&reversed, true, 11);
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FLOW, WHO), "10.0.0.1 40000 198.51.100.1 53 udp");
    CHECK_STR(last(RECORD_FLOW, "11 12"), "SHR ^d");
    CHECK_EQ(count(RECORD_CONN), 0);
    CHECK_EQ(count(RECORD_FATE), 0);

    start(); /* DHCP: both ports are known, but only one is a server's */
    const struct conn lease = {INSIDE, 0x0a0000fe, 68, 67};
    udp_datagram(&lease, true, 300);
    CHECK(meter_flush(m));
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
    CHECK_EQ(meter_flows(m), 2);
    CHECK(meter_flush(m));
    CHECK_EQ(count(RECORD_CONN), 1); /* a reply alone is nobody's attempt */
    CHECK_EQ(count(RECORD_FATE), 1);
}

static void test_what_is_nobodys_attempt(void)
{
    start(); /* SYN-ACK: its receiver would be the originator */
    tcp_segment(&WEB, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FLOW, WHO), "10.0.0.1 40000 198.51.100.1 9999 tcp");
    CHECK_STR(last(RECORD_FLOW, "11 12"), "OTH ^h");
    CHECK_EQ(count(RECORD_CONN) + count(RECORD_FATE), 0);

    start(); /* RST */
    tcp_segment(&WEB, false, TCP_RST, 500, 0, 0);
    CHECK(meter_flush(m));
    CHECK_EQ(count(RECORD_CONN) + count(RECORD_FATE), 0);

    start(); /* data in the middle, unanswered */
    tcp_segment(&WEB, false, TCP_ACK | TCP_PSH, 500, 7, 100);
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FLOW, "9 11 12"), "100 OTH D");
    CHECK_EQ(count(RECORD_CONN) + count(RECORD_FATE), 0);

    start(); /* one side of a running download */
    for (uint32_t i = 0; i < 10; i++)
        tcp_segment(&WEB, false, TCP_ACK, 500, 7 + i, 0);
    CHECK(meter_flush(m));
    CHECK_EQ(count(RECORD_FATE), 0);

    start(); /* to all hosts */
    const struct conn everybody = {INSIDE, 0xefffffffu, 1900, 1900};
    udp_datagram(&everybody, false, 5);
    CHECK(meter_flush(m));
    CHECK_EQ(count(RECORD_CONN), 1);
    CHECK_EQ(count(RECORD_FATE), 0);
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
        CHECK(meter_advance(m, now + 5 * SECOND));
        snprintf(expected, sizeof expected, "%u unanswered", PROBES[i]);
        CHECK_STR(last(RECORD_FATE, "7 8"), expected);
    }
}

static void test_a_forged_reset_ends_nothing(void)
{
    start();
    handshake(&WEB);
    tcp_segment(&WEB, true, TCP_RST, 900000, 0, 0);
    CHECK(meter_advance(m, now + 100 * SECOND));
    CHECK_EQ(count(RECORD_FLOW), 0);
    tcp_segment(&WEB, true, TCP_RST, 501, 0, 0);
    CHECK(meter_advance(m, now + 106 * SECOND));
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
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FLOW, "9 21"), "100 forced");
    CHECK_EQ(meter_counters(m)->checkpoints, 3);
}

static void test_time_never_goes_back(void)
{
    start();
    udp_datagram(&WEB, false, 5);
    now -= 1000 * SECOND;
    udp_datagram(&WEB, true, 5);
    CHECK_EQ(meter_now(m), T0);
    CHECK(meter_flush(m));
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
    CHECK(meter_advance(m, now + SECOND));
    CHECK_STR(last(RECORD_CLOCK, "0"), "1700000004000000000");
    before = seen_count;
    CHECK(meter_advance(m, now + SECOND));
    CHECK_EQ(seen_count, before);
}

static void test_a_full_table_retires_the_stalest(void)
{
    start();
    handshake(&WEB);
    for (unsigned i = 0; i < 200; i++) {
        const struct conn c = {INSIDE + 1 + i, OUTSIDE, 1000, 7777};
        tcp_segment(&c, false, TCP_SYN, 1, 0, 0);
    }
    CHECK_EQ(meter_flows(m), 64);
    CHECK_EQ(meter_counters(m)->evicted_flows, 137);
    CHECK_EQ(meter_counters(m)->table_peak, 64);
    CHECK_STR(last(RECORD_FLOW, "21"), "resources");
    tcp_segment(&WEB, false, TCP_ACK | TCP_PSH, 101, 501, 5);
    CHECK(meter_flush(m));
    /* The established connection outlived the flood. */
    unsigned established = 0;
    for (unsigned i = 0; i < seen_count; i++)
        established += seen[i].kind == RECORD_FLOW && strcmp(seen[i].fields[11], "S1") == 0;
    CHECK_EQ(established, 1);
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
    CHECK(meter_flush(m));
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
    CHECK_EQ(meter_counters(m)->folded_flows, 991);
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
    CHECK(meter_flush(m));
    unsigned told = count(RECORD_CONN) + count(RECORD_FATE) + count(RECORD_FLOW);
    CHECK(told <= (256 + 16 + 16 + 16) * 8);
    CHECK(count(RECORD_ATTEMPTS) > 0);
    CHECK_EQ(meter_counters(m)->flows, 20000);
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
    CHECK(!meter_advance(m, now + 1000 * SECOND));
    CHECK(!meter_flush(m));
    CHECK_EQ(seen_count, before);
    CHECK_EQ(meter_counters(m)->packets, 3);
    sink_is_ready = true;
    CHECK(feed_at(now));
    CHECK(meter_flush(m));
    CHECK_EQ(meter_flows(m), 0);
}

static void test_only_what_is_wanted_is_made(void)
{
    start_with(&SETTINGS, 1u << RECORD_FLOW);
    handshake(&WEB);
    CHECK(meter_flush(m));
    CHECK_EQ(seen_count, 1);
    CHECK_EQ(count(RECORD_FLOW), 1);
    CHECK_EQ(meter_counters(m)->records[RECORD_FLOW], 1);
    CHECK_EQ(meter_counters(m)->records[RECORD_CONN], 0);
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
    CHECK(meter_flush(m));
    CHECK_STR(last(RECORD_FLOW, "12 13 14 20"), "Sh 1 1 0");
    CHECK_EQ(meter_counters(m)->copied_packets, 2);
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
    CHECK_EQ(meter_flows(m), 1);
    CHECK_EQ(meter_counters(m)->other_packets, 2);
    CHECK_EQ(meter_counters(m)->packets, 3);
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
    CHECK_EQ(meter_counters(m)->suppressed, 2 * (91 - 32 - 1456 / 64) - 4); /* 4 are pending */
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
    m = meter_init(memory, &settings, sink);
    for (uint16_t flow = 0; flow < 4; flow++)
        for (uint16_t id = 0; id < 64; id++)
            ask((uint16_t)(5000 + flow), id);
    for (unsigned i = 0; i < 4; i++) {
        told_bytes = 0;
        now += 100 * SECOND;
        tcp_segment(&WEB, false, TCP_SYN, 100 + i, 0, 0);
        CHECK(told_bytes <= RECORD_BURST);
    }
    CHECK_EQ(meter_flows(m), 1);
    CHECK(meter_counters(m)->suppressed > 50);
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
        CHECK(meter_flush(m));
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
    test_refused_and_unanswered();
    test_replies_that_are_not_captured();
    test_streams_that_nobody_answers();
    test_a_look_whether_a_port_is_open();
    test_who_leaves_without_a_word();
    test_the_abort_of_sctp_is_a_refusal();
    test_tiny_fragments_are_probes();
    test_icmp_errors_tell_the_fate_of_what_they_quote();
    test_a_missing_protocol_is_told_without_its_probe();
    test_udp();
    test_icmp_echo_goes_by_identifier();
    test_what_is_nobodys_attempt();
    test_probes_of_scans_are_attempts();
    test_a_forged_reset_ends_nothing();
    test_ports_are_used_again();
    test_a_flow_that_is_overdue_ends_when_met();
    test_a_long_flow_has_checkpoints();
    test_time_never_goes_back();
    test_the_clock_is_told();
    test_a_full_table_retires_the_stalest();
    test_probes_without_an_answer_are_told();
    test_a_scan_is_folded();
    test_a_flood_of_forged_packets_is_told_in_bounds();
    test_a_waiting_meter_does_nothing_without_room();
    test_only_what_is_wanted_is_made();
    test_arp();
    test_a_copy_on_another_interface_is_not_counted();
    test_other_protocols_and_what_is_not_followed();
    test_a_packet_of_many_requests_is_told_in_bounds();
    test_a_packet_never_tells_more_than_a_burst();
    test_the_secret_of_the_hash_shows_nowhere();
    test_sizes_do_not_wrap();
    free(memory);
    return check_done();
}
