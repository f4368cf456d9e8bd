/* nflog.c: messages of an NFLOG group to packets of the meter. */
#include "nflog.h"

#include "messages.h"
#include "told.h"

#define GROUP 5
#define PACKET 0x400

static struct interfaces interfaces;
static struct nflog reader;

static const uint8_t LINK[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
/* 10.0.0.1:1000 > 10.0.0.2:7, UDP, 200 bytes of which 32 are here. */
static const uint8_t DATAGRAM[32] = {0x45, 0, 0,  200, 0, 0, 0,    0,    64, 17, 0, 0,   10, 0,
                                     0,    1, 10, 0,   0, 2, 0x03, 0xe8, 0,  7,  0, 180, 0,  0};

static void begin(void)
{
    memset(&interfaces, 0, sizeof interfaces);
    (void)interfaces_add(&interfaces, "a");
    (void)interfaces_add(&interfaces, "b");
    interfaces.known[1].index = 17;
    nflog_init(&reader, GROUP, &interfaces);
    start_sampling();
}

static void put_time(struct made *m, uint64_t seconds, uint64_t micros)
{
    uint8_t both[16];
    for (unsigned i = 0; i < 8; i++) {
        both[i] = (uint8_t)(seconds >> (56 - 8 * i));
        both[8 + i] = (uint8_t)(micros >> (56 - 8 * i));
    }
    put_attribute(m, 3, both, sizeof both);
}

static void put_packet(struct made *m, uint32_t sequence, bool with_link)
{
    static const uint8_t HEAD[4] = {8, 0, 0, 0}; /* IPv4, hook */
    uint32_t at = begin_message(m, PACKET, 0);
    put_family(m, 2, GROUP);
    put_attribute(m, 1, HEAD, 4);
    put_number(m, 4, 17, 4);
    put_time(m, 1700000001, 500);
    if (with_link) {
        put_number(m, 15, 1, 2);
        put_attribute(m, 16, LINK, sizeof LINK);
    }
    put_attribute(m, 9, DATAGRAM, sizeof DATAGRAM);
    put_number(m, 12, sequence, 4);
    end_message(m, at);
}

static unsigned take(const struct made *m, uint32_t length)
{
    struct nflog_time time = {T0, 0};
    return nflog_take(&reader, meter, exact(m, length), time);
}

static void test_a_packet(void)
{
    struct made m = {.length = 0};
    begin();
    put_packet(&m, 0, true);
    CHECK_EQ(take(&m, m.length), 1);
    CHECK_STR(last(RECORD_CONN, "0 2 3"), "1700000001000500000 10.0.0.1 1000");
    CHECK_STR(last(RECORD_CONN, "8 9 11"), "02:00:00:00:00:01 02:00:00:00:00:02 1");
    CHECK(meter_flush(meter));
    CHECK_STR(last(RECORD_FLOW, "15 9"), "200 172"); /* by the header: cut on the way */
    CHECK_EQ(meter_counters(meter)->bytes, 214);
}

static void test_without_link_and_time(void)
{
    struct made m = {.length = 0};
    struct nflog_time time = {T0 + 7, 0};
    begin();
    uint32_t at = begin_message(&m, PACKET, 0);
    put_family(&m, 2, GROUP);
    put_number(&m, 5, 17, 4); /* out */
    put_attribute(&m, 9, DATAGRAM, sizeof DATAGRAM);
    end_message(&m, at);
    CHECK_EQ(nflog_take(&reader, meter, exact(&m, m.length), time), 1);
    CHECK_STR(last(RECORD_CONN, "0"), "1700000000000000007");
    CHECK_STR(last(RECORD_CONN, "8"), "");
    CHECK_STR(last(RECORD_CONN, "11"), "1");
}

static void test_clock_steps_are_taken_out(void)
{
    struct made m = {.length = 0};
    struct nflog_time time = {T0, -(int64_t)SECOND};
    begin();
    put_packet(&m, 0, true);
    CHECK_EQ(nflog_take(&reader, meter, exact(&m, m.length), time), 1);
    CHECK_STR(last(RECORD_CONN, "0"), "1700000000000500000");
}

static void test_a_batch_and_what_it_lost(void)
{
    struct made m = {.length = 0};
    begin();
    put_packet(&m, 10, true); /* the first number is no loss */
    put_packet(&m, 11, false);
    end_message(&m, begin_message(&m, NETLINK_DONE, 0));
    CHECK_EQ(take(&m, m.length), 2);
    CHECK_EQ(reader.counters.lost, 0);
    m.length = 0;
    put_packet(&m, 15, true);
    CHECK_EQ(take(&m, m.length), 1);
    CHECK_EQ(reader.counters.lost, 3);
    m.length = 0;
    put_packet(&m, 0, true); /* the group was bound anew */
    CHECK_EQ(take(&m, m.length), 1);
    CHECK_EQ(reader.counters.lost, 3);
    CHECK_EQ(reader.counters.packets, 4);
    CHECK_EQ(reader.counters.malformed, 0);
}

static void test_every_cut(void)
{
    struct made m = {.length = 0};
    begin();
    put_packet(&m, 0, true);
    for (uint32_t cut = 1; cut < m.length; cut++) {
        CHECK_EQ(take(&m, cut), 0);
        CHECK_EQ(reader.counters.malformed, cut);
    }
}

/* Every byte set to what hurts most: nothing is read past its end, and all is counted. */
static void test_every_byte(void)
{
    static const uint8_t VALUES[] = {0, 1, 3, 4, 127, 128, 255};
    struct made m = {.length = 0};
    put_packet(&m, 0, true);
    for (uint32_t at = 0; at < m.length; at++) {
        for (unsigned i = 0; i < sizeof VALUES; i++) {
            struct made changed = m;
            begin();
            changed.bytes[at] = VALUES[i];
            CHECK(take(&changed, changed.length) <= 1);
        }
    }
}

static void test_of_another_group(void)
{
    struct made m = {.length = 0};
    begin();
    reader.group = GROUP + 1;
    put_packet(&m, 0, true);
    CHECK_EQ(take(&m, m.length), 0);
    CHECK_EQ(reader.counters.malformed, 1);
}

int main(void)
{
    test_a_packet();
    test_without_link_and_time();
    test_clock_steps_are_taken_out();
    test_a_batch_and_what_it_lost();
    test_every_cut();
    test_every_byte();
    test_of_another_group();
    free(memory);
    return check_done();
}
