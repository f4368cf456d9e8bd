/* DNS: pairs, names, answers, and what is wrong with messages. */
#include "facts.h"
#include "parse_dns.h"

#define MS 1000000u

/* Question for www.example.com, type A, id 0x1234. */
#define QUESTION "03777777 07 6578616d706c65 03 636f6d 00 0001 0001"
#define ASK "1234 0100 0001 0000 0000 0000" QUESTION

static struct facts *f;
static struct flow flow;

static void begin(uint16_t dport)
{
    f = facts_new(4, FACTS_ALL);
    facts_flow(&flow, IP_PROTO_UDP, 40000, dport);
}

static void end(void)
{
    application_end(f->pool, &flow, 9000 * MS);
    CHECK_EQ(flow.application, 0);
    facts_free(f);
}

static void send(enum direction direction, uint64_t now, const char *hex)
{
    uint8_t bytes[1024];
    facts_packet(f, &flow, direction, now, bytes, facts_hex(bytes, hex));
}

static void test_pair(void)
{
    begin(53);
    send(ORIG, 10 * MS, ASK);
    send(ORIG, 11 * MS, ASK); /* asked again: the first time counts */
    CHECK_STR(facts_told(f), "");
    send(RESP, 12 * MS,
         "1234 8580 0001 0003 0000 0001" QUESTION "c00c 0005 0001 0000003c 0005 02 6c62 c010"
         "c02d 0001 0001 0000001e 0004 c0000207"
         "c02d 001c 0001 0000001e 0010 20010db8000000000000000000000001"
         "00 0029 0200 00000000 0000" /* EDNS */);
    CHECK_STR(facts_told(f),
              "dns [4660,\"www.example.com\",\"A\",\"NOERROR\",2000000,"
              "[\"lb.example.com\",\"192.0.2.7\",\"2001:db8::1\"],[60,30,30],yes,yes,yes,no]");
    CHECK_EQ(flow.service, SERVICE_DNS);
    facts_forget(f);
    end();
}

static void test_every_type_of_answer(void)
{
    begin(53);
    send(RESP, 12 * MS,
         "0007 8180 0001 0007 0000 0000" QUESTION "c00c 000f 0001 00000001 0004 000a c010"
         "c00c 0021 0001 00000002 0008 0001 0002 01bb c010"
         "c00c 0006 0001 00000003 0018 c010 c010 00000001 00000002 00000003 00000004 00000005"
         "c00c 0010 0001 00000004 000a 03 613d62 05 5c0063ff64"
         "c00c 000c 0001 00000005 0001 00"
         "c00c 0002 0001 00000006 0002 c010"
         "c00c 0063 0001 00000007 0003 010203");
    CHECK_STR(facts_told(f), "dns [7,\"www.example.com\",\"A\",\"NOERROR\",0,[\"example.com\","
                             "\"example.com\",\"example.com\",\"a=b\\x5c\\x00c\\xffd\",\".\","
                             "\"example.com\"],[1,2,3,4,5,6],no,yes,yes,no]");
    end();
}

static void test_unanswered(void)
{
    begin(53);
    send(ORIG, 10 * MS, ASK);
    send(RESP, 12 * MS, "4321 8183 0001 0000 0000 0000" QUESTION); /* another's number */
    CHECK_STR(facts_told(f), "dns [17185,\"www.example.com\",\"A\",\"NXDOMAIN\",0,[],[],"
                             "no,yes,yes,no]");
    facts_forget(f);
    application_end(f->pool, &flow, 20 * MS);
    CHECK_STR(facts_told(f), "dns [4660,\"www.example.com\",\"A\",\"\",0,[],[],no,yes,no,no]");
    end();
}

/* Four slots: the fifth question displaces the oldest, of whatever flow. */
static void test_full_table(void)
{
    struct flow other;
    begin(53);
    facts_flow(&other, IP_PROTO_UDP, 40001, 53);
    send(ORIG, 10 * MS, ASK);
    for (unsigned id = 0; id < 4; id++) {
        uint8_t bytes[128];
        uint32_t n = facts_hex(bytes, ASK);
        bytes[1] = (uint8_t)id;
        facts_packet(f, &other, ORIG, (11 + id) * MS, bytes, n);
    }
    CHECK_STR(facts_told(f), "dns [4660,\"www.example.com\",\"A\",\"\",0,[],[],no,yes,no,no]");
    CHECK_EQ(flow.application, 0);
    facts_forget(f);
    application_end(f->pool, &other, 99 * MS);
    CHECK(FACTS_STARTS(f, "dns [4608,")); /* oldest first */
    unsigned lines = 1;
    for (const char *c = f->told; *c != '\0'; c++)
        lines += *c == '\n';
    CHECK_EQ(lines, 4);
    end();
}

static void test_one_flow_is_bounded(void)
{
    uint8_t bytes[128];
    uint32_t n = facts_hex(bytes, ASK);
    f = facts_new(1000, FACTS_ALL);
    facts_flow(&flow, IP_PROTO_UDP, 40000, 53);
    for (unsigned id = 0; id <= DNS_PENDING_OF_FLOW; id++) {
        bytes[1] = (uint8_t)id;
        facts_packet(f, &flow, ORIG, (11 + id) * MS, bytes, n);
    }
    CHECK(FACTS_STARTS(f, "dns [4608,"));
    CHECK(strchr(f->told, '\n') == NULL);
    end();
}

static void test_multicast(void)
{
    begin(5353);
    send(ORIG, 10 * MS,
         "0000 8400 0000 0001 0000 0000 05 7072696e74 05 6c6f63616c 00"
         "0001 8001 00000078 0004 c0000209");
    CHECK_STR(facts_told(f), "dns [0,\"print.local\",\"A\",\"NOERROR\",0,[\"192.0.2.9\"],[120],"
                             "yes,no,no,no]");
    end();
}

static void check_event(const char *hex, enum event event)
{
    begin(53);
    send(RESP, MS, hex);
    CHECK_EQ(f->events.count[event], 1);
    if (f->events.count[event] != 1)
        printf("    %s\n", event_name(event));
    end();
}

static void test_malformed(void)
{
    check_event("1234 8180 0001", EVENT_DNS_TRUNCATED);
    check_event("1234 f800 0001 0000 0000 0000", EVENT_DNS_BAD_HEADER);
    check_event("1234 8180 0001 0000 0000 0000 05 6161", EVENT_DNS_TRUNCATED);
    check_event("1234 8180 0001 0000 0000 0000 45 6161", EVENT_DNS_BAD_NAME);
    check_event("1234 8180 0001 0000 0000 0000 c00c 0001 0001", EVENT_DNS_POINTER_LOOP);
    check_event("1234 8180 0001 0000 0000 0000 0161 c00c 0001 0001", EVENT_DNS_POINTER_LOOP);
    check_event("1234 8180 0001 0000 0000 0000 c0ff 0001 0001", EVENT_DNS_BAD_POINTER);
    check_event("1234 8180 0001 0000 0000 0000 c000 0001 0001", EVENT_DNS_BAD_POINTER);
    check_event("1234 8180 0001 0000 0000 0000 0161 00 0001", EVENT_DNS_BAD_QUESTION);
    check_event("1234 8180 0001 0001 0000 0000" QUESTION "c00c 0001 0001 00000001 0004 0a00",
                EVENT_DNS_BAD_RECORD);
    check_event("1234 8180 0001 0001 0000 0000" QUESTION "c00c 0001 0001 00000001 0003 0a0000",
                EVENT_DNS_BAD_RDATA);
    check_event("1234 8180 0001 0001 0000 0000" QUESTION "c00c 0010 0001 00000001 0003 0a6161",
                EVENT_DNS_BAD_RDATA);
    check_event("1234 8180 0001 0001 0000 0000" QUESTION "c00c 000c 0001 00000001 0001 c010",
                EVENT_DNS_BAD_RDATA);
    begin(53);
    send(RESP, MS, "0001 8180 0001 0000 0000 0000"); /* a question that is not there */
    CHECK_EQ(f->events.count[EVENT_DNS_TRUNCATED], 1);
    end();
}

/* Records of twelve bytes that point to one long name: it is not followed for all of them. */
static void test_pointers_have_a_price(void)
{
    uint8_t bytes[1024];
    begin(53);
    uint32_t n = facts_hex(bytes, "0001 8180 0000 0031 0000 0000 00 0063 0001 00000000 00c9");
    for (unsigned i = 0; i < 100; i++)
        n += facts_hex(bytes + n, "0161");
    bytes[n++] = 0;
    for (unsigned i = 1; i < 0x31; i++)
        n += facts_hex(bytes + n, "c017 0063 0001 00000000 0000");
    facts_packet(f, &flow, RESP, MS, bytes, n);
    CHECK_EQ(f->events.count[EVENT_DNS_TOO_MANY_LABELS], 1);
    CHECK(FACTS_STARTS(f, "dns [1,\".\","));
    end();
}

static void test_longest_name(void)
{
    uint8_t bytes[512];
    uint32_t n;
    for (unsigned over = 0; over < 2; over++) {
        begin(53);
        n = facts_hex(bytes, "0001 0100 0001 0000 0000 0000");
        for (unsigned i = 0; i < 4; i++) {
            uint8_t label = (uint8_t)(i < 3 ? 63 : 61 + over);
            bytes[n++] = label;
            memset(bytes + n, 'a', label);
            n += label;
        }
        n += facts_hex(bytes + n, "00 0001 0001");
        facts_packet(f, &flow, ORIG, MS, bytes, n);
        CHECK_EQ(f->events.count[EVENT_DNS_NAME_TOO_LONG], over);
        end();
    }
}

/* The largest record: many answers full of bytes that are written as four. */
static void test_record_bound(void)
{
    static uint8_t bytes[40000];
    begin(53);
    uint32_t n = facts_hex(bytes, "0001 8180 0001 0080 0000 0000");
    for (unsigned i = 0; i < 4; i++) {
        bytes[n++] = i < 3 ? 63 : 61;
        memset(bytes + n, 1, 63);
        n += i < 3 ? 63 : 61;
    }
    n += facts_hex(bytes + n, "00 0010 0001");
    for (unsigned i = 0; i < 128; i++) {
        n += facts_hex(bytes + n, "c00c 0010 0001 ffffffff 0100 ff");
        memset(bytes + n, 2, 255);
        n += 255;
    }
    facts_packet(f, &flow, RESP, MS, bytes, n);
    CHECK(f->largest > 6000 && f->largest <= RECORD_MAX);
    end();
}

static void test_tcp(void)
{
    uint8_t bytes[128], twice[256];
    f = facts_new(4, FACTS_ALL);
    facts_flow(&flow, IP_PROTO_TCP, 40000, 53);
    uint32_t n = facts_hex(bytes, "0021" ASK);
    facts_packet(f, &flow, ORIG, MS, bytes, 1);
    facts_packet(f, &flow, ORIG, MS, bytes + 1, n - 1);
    memcpy(twice, bytes, n);
    twice[4] |= 0x80;
    twice[5] = 3;
    memcpy(twice + n, twice, n);
    twice[n + 3] ^= 1;
    facts_packet(f, &flow, RESP, 3 * MS, twice, 2 * n - 1);
    CHECK_STR(facts_told(f), "dns [4660,\"www.example.com\",\"A\",\"NXDOMAIN\",2000000,[],[],"
                             "no,yes,no,no]");
    facts_forget(f);
    facts_packet(f, &flow, RESP, 4 * MS, twice + 2 * n - 1, 1);
    CHECK(FACTS_STARTS(f, "dns [4661,"));
    end();
}

/* A message longer than the window is told as far as it goes, and the next one is found. */
static void test_long_tcp_message(void)
{
    static uint8_t bytes[9000];
    f = facts_new(4, FACTS_ALL);
    facts_flow(&flow, IP_PROTO_TCP, 40000, 53);
    uint32_t n = facts_hex(bytes, "1f40 1234 8180 0001 01c8 0000 0000" QUESTION);
    while (n < 8002)
        n += facts_hex(bytes + n, "c00c 0001 0001 00000001 0004 0a000001");
    n = 8002;
    n += facts_hex(bytes + n, "0021 1235 8183 0001 0000 0000 0000" QUESTION);
    for (uint32_t at = 0; at < n; at += 1000)
        facts_packet(f, &flow, RESP, MS, bytes + at, n - at < 1000 ? n - at : 1000);
    CHECK(strstr(f->told, "dns [4660,\"www.example.com\",\"A\",\"NOERROR\",0,[\"10.0.0.1\",\"10"));
    CHECK(strstr(f->told, "dns [4661,\"www.example.com\",\"A\",\"NXDOMAIN\",0,[],[]"));
    CHECK_EQ(f->events.count[EVENT_DNS_TRUNCATED], 0);
    end();
}

static void test_unwanted(void)
{
    f = facts_new(4, 0);
    facts_flow(&flow, IP_PROTO_UDP, 40000, 53);
    send(ORIG, MS, ASK);
    CHECK_EQ(flow.service, SERVICE_DNS);
    CHECK_EQ(flow.application, 0);
    end();
}

int main(void)
{
    test_pair();
    test_every_type_of_answer();
    test_unanswered();
    test_full_table();
    test_one_flow_is_bounded();
    test_multicast();
    test_malformed();
    test_pointers_have_a_price();
    test_longest_name();
    test_record_bound();
    test_tcp();
    test_long_tcp_message();
    test_unwanted();
    return check_done();
}
