/* conntrack.c: entries of the kernel's table to the meter's flows, and the questions about them. */
#include "conntrack.h"

#include "messages.h"
#include "told.h"

enum { NEW = 0x100, GET = 0x101, DELETE = 0x102, ESTABLISHED = 3, TIME_WAIT = 7 };

static struct conntrack reader;

static const uint8_t CLIENT[4] = {10, 0, 0, 1}, SERVER[4] = {198, 51, 100, 1},
                     WAN[4] = {203, 0, 113, 1};

static void begin(void)
{
    conntrack_init(&reader, SECOND);
    start_sampling();
}

/* A segment of 40 bytes between the two, in the kernel's sample. */
static void see(bool reply, uint8_t flags, uint32_t seq, uint32_t ack)
{
    uint8_t ip[40] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6};
    memcpy(ip + 12, reply ? SERVER : CLIENT, 4);
    memcpy(ip + 16, reply ? CLIENT : SERVER, 4);
    ip[20] = reply ? 0x01 : 0x9c; /* 443, 40000 */
    ip[21] = reply ? 0xbb : 0x40;
    ip[22] = reply ? 0x9c : 0x01;
    ip[23] = reply ? 0x40 : 0xbb;
    for (unsigned i = 0; i < 4; i++) {
        ip[24 + i] = (uint8_t)(seq >> (24 - 8 * i));
        ip[28 + i] = (uint8_t)(ack >> (24 - 8 * i));
    }
    ip[32] = 0x50;
    ip[33] = flags;
    ip[34] = 4; /* the window */
    CHECK(meter_sampled_packet(meter, 101, 0, now, 40, ip, 40));
}

static void put_tuple(struct made *m, uint16_t type, const uint8_t *src, const uint8_t *dst,
                      const uint16_t ports[2])
{
    uint32_t tuple = begin_nested(m, type), part = begin_nested(m, 1);
    put_attribute(m, 1, src, 4);
    put_attribute(m, 2, dst, 4);
    end_nested(m, part);
    part = begin_nested(m, 2);
    put_number(m, 1, 6, 1);
    put_number(m, 2, ports[0], 2);
    put_number(m, 3, ports[1], 2);
    end_nested(m, part);
    end_nested(m, tuple);
}

static void put_counts(struct made *m, uint16_t type, uint64_t packets, uint64_t bytes)
{
    uint32_t at = begin_nested(m, type);
    put_number(m, 1, packets, 8);
    put_number(m, 2, bytes, 8);
    end_nested(m, at);
}

struct told { /* what an entry says */
    uint16_t type;
    uint32_t sequence;
    uint8_t state;
    uint64_t packets[2], bytes[2], begun;
};

/* 10.0.0.1:40000 to 198.51.100.1:443, translated to 203.0.113.1:50000. */
static void put_entry(struct made *m, const struct told *t)
{
    static const uint16_t THERE[2] = {40000, 443}, BACK[2] = {443, 50000};
    uint32_t at = begin_message(m, t->type, t->sequence);
    put_family(m, 2, 0);
    put_tuple(m, 1, CLIENT, SERVER, THERE);
    put_tuple(m, 2, SERVER, WAN, BACK);
    uint32_t info = begin_nested(m, 4), tcp = begin_nested(m, 1);
    put_number(m, 1, t->state, 1);
    end_nested(m, tcp);
    end_nested(m, info);
    if (t->packets[0] > 0) {
        put_counts(m, 9, t->packets[0], t->bytes[0]);
        put_counts(m, 10, t->packets[1], t->bytes[1]);
    }
    if (t->begun > 0) {
        uint32_t times = begin_nested(m, 20);
        put_number(m, 1, t->begun, 8);
        end_nested(m, times);
    }
    end_message(m, at);
}

static unsigned take(const struct made *m, uint32_t length)
{
    struct nflog_time time = {now, 0};
    return conntrack_take(&reader, meter, exact(m, length), time);
}

static void tell(const struct told *t)
{
    struct made m = {.length = 0};
    put_entry(&m, t);
    CHECK_EQ(take(&m, m.length), 1);
}

/* A connection of which more than the first packets were sent; all of its sides were seen. */
static void connect_and_send(void)
{
    see(false, TCP_SYN, 100, 0);
    see(true, TCP_SYN | TCP_ACK, 500, 101);
    for (unsigned i = 1; i < FIRST_PACKETS; i++)
        see(false, TCP_ACK, 101, 501);
}

static void test_totals_by_the_last_event(void)
{
    struct told t = {.type = DELETE, .packets = {30, 20}, .bytes = {1500, 1000}};
    begin();
    connect_and_send();
    tell(&t);
    CHECK_EQ(count(RECORD_FLOW), 0); /* its last packets may still be on their way */
    CHECK(meter_advance(meter, now + 6 * SECOND));
    CHECK_STR(last(RECORD_FLOW, TOTALS), "30 20 1500 1000 ShA~ 203.0.113.1 50000 S1");
    CHECK_EQ(reader.counters.events, 1);
}

static void test_totals_by_a_question(void)
{
    struct told t = {.type = NEW, .state = TIME_WAIT};
    uint8_t out[2 * CONNTRACK_QUERY];
    struct netlink_message message;
    begin();
    connect_and_send();
    tell(&t);
    CHECK_EQ(conntrack_due(&reader, meter, now, out, sizeof out), 0);
    uint32_t length = conntrack_due(&reader, meter, now + SECOND, out, sizeof out);
    struct cursor asked = cursor_over(out, length);
    CHECK_EQ(netlink_message(&asked, &message), NETLINK_TAKEN);
    CHECK_EQ(message.type, GET);
    CHECK_EQ(message.flags, 1);
    CHECK_EQ(message.sequence, CONNTRACK_ASKED);
    CHECK_EQ(message.body.at[0], 2);
    CHECK_EQ(message.body.left, 4 + 4 + 4 + 16 + 4 + 24);
    CHECK_EQ(netlink_message(&asked, &message), NETLINK_END);
    CHECK_EQ(conntrack_due(&reader, meter, now + SECOND, out, sizeof out), 0);
    t.sequence = CONNTRACK_ASKED;
    t.packets[0] = 12, t.bytes[0] = 600, t.packets[1] = 9, t.bytes[1] = 400;
    tell(&t);
    CHECK_EQ(reader.counters.answers, 1);
    CHECK_EQ(conntrack_due(&reader, meter, now + 9 * SECOND, out, sizeof out), 0);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, TOTALS), "12 9 600 400 ShA~ 203.0.113.1 50000 S1");
}

/* The kernel's news were read before the packets that led to them. */
static void test_news_before_packets(void)
{
    struct told t = {.type = NEW, .state = TIME_WAIT};
    uint8_t out[CONNTRACK_QUERY];
    begin();
    tell(&t);
    connect_and_send();
    CHECK(conntrack_due(&reader, meter, now + SECOND, out, sizeof out) > 0);
}

static void test_no_question_when_all_was_seen(void)
{
    struct told t = {.type = NEW, .state = TIME_WAIT};
    uint8_t out[CONNTRACK_QUERY];
    begin();
    see(false, TCP_SYN, 100, 0);
    tell(&t);
    CHECK_EQ(conntrack_due(&reader, meter, now + 9 * SECOND, out, sizeof out), 0);
}

static void test_many_questions(void)
{
    struct told t = {.type = NEW, .state = TIME_WAIT};
    uint8_t out[CONNTRACK_QUERY * 4];
    unsigned asked = 0;
    begin();
    connect_and_send();
    for (unsigned i = 0; i < CONNTRACK_QUERIES + 10; i++)
        tell(&t);
    for (uint32_t length; (length = conntrack_due(&reader, meter, now, out, sizeof out)) > 0;)
        asked += length / (16 + 4 + 4 + 4 + 16 + 4 + 24);
    CHECK_EQ(asked, CONNTRACK_QUERIES / 2); /* at once: half may wait */
    while (conntrack_due(&reader, meter, now + SECOND, out, sizeof out) > 0)
        ;
    CHECK_EQ(reader.counters.asked, CONNTRACK_QUERIES);
}

static void test_older_connections(void)
{
    struct told t = {.type = NEW,
                     .sequence = CONNTRACK_OLDER,
                     .state = ESTABLISHED,
                     .packets = {100, 200},
                     .bytes = {10000, 20000},
                     .begun = T0 - 100 * SECOND};
    begin();
    tell(&t);
    CHECK_EQ(meter_flows(meter), 1);
    CHECK_EQ(count(RECORD_CONN), 0); /* it does not begin */
    now += 200 * SECOND;
    t.sequence = CONNTRACK_POLL;
    t.packets[0] = 150;
    tell(&t); /* it lives on */
    CHECK(meter_advance(meter, now + 200 * SECOND));
    CHECK_EQ(meter_flows(meter), 1);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, TOTALS), "150 200 10000 20000 ~ 203.0.113.1 50000 OTH");
    CHECK_STR(last(RECORD_FLOW, "0"), "1699999900000000000");
    CHECK_EQ(reader.counters.polled, 2);
}

/* Where interfaces are named: one end behind one of them is enough, the first route that fits
 * decides. */
static void test_older_connections_of_the_inside(void)
{
    static const struct conntrack_route ROUTES[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}, 128, false},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2}, 127, true},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0}, 103, true},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 96, 0}, 117, true},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, false},
    };
    /* Routes from and up to, flows. */
    static const unsigned CASES[][3] = {
        {0, 3, 0}, {0, 4, 1}, {0, 2, 0}, {1, 2, 0}, {1, 3, 1}, {4, 5, 0}, {3, 4, 1},
    };
    struct told t = {.type = NEW, .sequence = CONNTRACK_OLDER, .state = ESTABLISHED};
    for (unsigned i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        begin();
        for (unsigned n = CASES[i][0]; n < CASES[i][1]; n++)
            CHECK(conntrack_add_route(&reader, &ROUTES[n]));
        tell(&t);
        CHECK_EQ(meter_flows(meter), CASES[i][2]);
    }
}

static void test_too_many_routes(void)
{
    struct conntrack_route route = {.bits = 129};
    begin();
    CHECK(!conntrack_add_route(&reader, &route));
    route.bits = 128;
    for (unsigned i = 0; i < CONNTRACK_ROUTES; i++)
        CHECK(conntrack_add_route(&reader, &route));
    CHECK(!conntrack_add_route(&reader, &route));
}

static void test_what_is_not_followed(void)
{
    struct told t = {.type = NEW, .sequence = CONNTRACK_OLDER, .state = TIME_WAIT};
    begin();
    tell(&t);
    t.type = DELETE;
    t.sequence = 0;
    tell(&t);
    t.type = NEW;
    tell(&t);
    CHECK_EQ(meter_flows(meter), 0);
}

/* The ports were used again; what ended was the connection before. */
static void test_late_news(void)
{
    struct told t = {
        .type = DELETE, .packets = {30, 20}, .bytes = {1500, 1000}, .begun = T0 - 60 * SECOND};
    begin();
    see(false, TCP_SYN, 100, 0);
    tell(&t);
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "13"), "1");
}

static void test_errors(void)
{
    static const int32_t CODES[] = {0, -1, -2};
    begin();
    for (unsigned i = 0; i < 3; i++) {
        struct made m = {.length = 0};
        uint32_t at = begin_message(&m, NETLINK_ERROR, CONNTRACK_ASKED);
        put(&m, &CODES[i], 4);
        end_message(&m, at);
        (void)take(&m, m.length);
    }
    CHECK_EQ(reader.counters.refused, 1);
    struct made m = {.length = 0};
    end_message(&m, begin_message(&m, NETLINK_ERROR, CONNTRACK_POLL));
    (void)take(&m, m.length);
    CHECK_EQ(reader.counters.malformed, 1);
    m.length = 0;
    end_message(&m, begin_message(&m, NETLINK_DONE, CONNTRACK_POLL));
    (void)take(&m, m.length);
    CHECK_EQ(reader.counters.dumps, 1);
    CHECK_EQ(reader.counters.older, 0);
    m.length = 0;
    end_message(&m, begin_message(&m, NETLINK_DONE, CONNTRACK_OLDER));
    (void)take(&m, m.length);
    CHECK_EQ(reader.counters.dumps, 2);
    CHECK_EQ(reader.counters.older, 1);
}

static void test_hostile_bytes(void)
{
    static const uint8_t VALUES[] = {0, 1, 3, 5, 127, 128, 255};
    struct told t = {.type = NEW,
                     .sequence = CONNTRACK_OLDER,
                     .state = ESTABLISHED,
                     .packets = {100, 200},
                     .bytes = {10000, 20000},
                     .begun = 1};
    struct made m = {.length = 0};
    put_entry(&m, &t);
    begin();
    for (uint32_t cut = 1; cut < m.length; cut++) {
        CHECK_EQ(take(&m, cut), 0);
        CHECK_EQ(reader.counters.malformed, cut);
    }
    for (uint32_t at = 0; at < m.length; at++) {
        for (unsigned i = 0; i < sizeof VALUES; i++) {
            struct made changed = m;
            changed.bytes[at] = VALUES[i];
            (void)take(&changed, changed.length);
        }
    }
    CHECK(meter_flush(meter));
}

int main(void)
{
    test_totals_by_the_last_event();
    test_totals_by_a_question();
    test_news_before_packets();
    test_no_question_when_all_was_seen();
    test_many_questions();
    test_older_connections();
    test_older_connections_of_the_inside();
    test_too_many_routes();
    test_what_is_not_followed();
    test_late_news();
    test_errors();
    test_hostile_bytes();
    free(memory);
    return check_done();
}
