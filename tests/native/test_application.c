/* Detection by first bytes, the pool of slots, and how little a flow costs that nobody reads. */
#include "facts.h"

static struct facts *f;
static struct flow flow;

#define GONE UINT32_MAX /* no parser, no slot, for good */

static void begin(uint16_t dport)
{
    f = facts_new(2, FACTS_ALL);
    facts_flow(&flow, IP_PROTO_TCP, 40000, dport);
}

static void end(void)
{
    application_end(f->pool, &flow, 9000);
    CHECK_EQ(flow.application, 0);
    facts_free(f);
}

static void check_first(enum direction direction, const char *bytes, uint32_t length,
                        enum service service)
{
    begin(12345);
    facts_packet(f, &flow, direction, 1, bytes, length);
    CHECK_EQ(flow.service, service);
    CHECK_EQ(flow.application, service == SERVICE_UNKNOWN ? GONE : 1);
    end();
}

#define FIRST(direction, text, service) check_first(direction, text, sizeof text - 1, service)

static void test_detection(void)
{
    FIRST(ORIG, "GET / HTTP/1.1\r\n", SERVICE_HTTP);
    FIRST(ORIG, "PROPFIND /dav HTTP/1.1\r\n", SERVICE_HTTP);
    FIRST(ORIG, "OPTIONS * HTTP/1.1\r\n", SERVICE_HTTP);
    FIRST(RESP, "HTTP/1.0 200 OK\r\n", SERVICE_HTTP);
    FIRST(ORIG, "SSH-2.0-x\r\n", SERVICE_SSH);
    FIRST(RESP, "SSH-2.0-x\r\n", SERVICE_SSH);
    FIRST(ORIG, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", SERVICE_TLS);
    FIRST(RESP, "\x16\x03\x03\x00\x5a\x02\x00\x00\x56", SERVICE_TLS);
    FIRST(ORIG, "\x80\x2e\x01\x03\x01\x00\x15", SERVICE_TLS);
    FIRST(ORIG, "OPTIONS rtsp://x RTSP/1.0\r\n", SERVICE_UNKNOWN);
    FIRST(ORIG, "OPTIONS sip:x SIP/2.0\r\n", SERVICE_UNKNOWN);
    FIRST(ORIG, "EHLO host\r\n", SERVICE_UNKNOWN);
    FIRST(ORIG, "get / HTTP/1.1\r\n", SERVICE_UNKNOWN);
    FIRST(RESP, "220 mail\r\n", SERVICE_UNKNOWN);
    FIRST(ORIG, "\x16\x03\x01\x02\x00\x17\x00\x01\xfc", SERVICE_UNKNOWN);
    FIRST(ORIG, "\x00\x21\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", SERVICE_UNKNOWN);
    begin(53);
    facts_packet(f, &flow, ORIG, 1, "\x00\x21\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 14);
    CHECK_EQ(flow.service, SERVICE_DNS);
    end();
}

/* Byte by byte a protocol stays possible until it is not. */
static void test_byte_by_byte(void)
{
    begin(22);
    facts_say(f, &flow, ORIG, 1, "S");
    facts_say(f, &flow, ORIG, 2, "S");
    facts_say(f, &flow, ORIG, 3, "H");
    CHECK_EQ(flow.application, 1);
    facts_say(f, &flow, ORIG, 4, ":");
    CHECK_EQ(flow.application, GONE);
    end();
    begin(22);
    for (const char *c = "SSH-2.0-x\r\n"; *c != '\0'; c++)
        facts_packet(f, &flow, ORIG, 1, c, 1);
    CHECK_EQ(flow.service, SERVICE_SSH);
    end();
}

/* The first segment comes last, within the window and beyond it. */
static void test_first_segment_late(void)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (uint32_t later = 10; later < 5000; later += 4000) {
        begin(80);
        facts_packet_at(f, &flow, ORIG, 1, later, "xyz", 3, 3);
        facts_packet_at(f, &flow, ORIG, 2, 0, text, sizeof text - 1, sizeof text - 1);
        CHECK_EQ(flow.service, SERVICE_HTTP);
        end();
    }
    begin(80);
    facts_packet_at(f, &flow, ORIG, 1, 100000, "xyz", 3, 3);
    CHECK_EQ(flow.application, GONE);
    end();
}

/* A connection that was under way: a keep-alive does not hide what follows. */
static void test_mid_stream(void)
{
    begin(80);
    flow.side[ORIG].first_flags = flow.side[RESP].first_flags = TCP_ACK;
    facts_packet_at(f, &flow, ORIG, 1, 4999, "", 1, 1);
    facts_packet_at(f, &flow, ORIG, 2, 5000, "GET / HTTP/1.1\r\n", 16, 16);
    CHECK_EQ(flow.service, SERVICE_HTTP);
    end();
}

/* Two slots, three flows: the one silent longest is told and gives way, and may come back. */
static void test_eviction(void)
{
    struct flow others[2];
    begin(80);
    facts_flow(&others[0], IP_PROTO_TCP, 40001, 22);
    facts_flow(&others[1], IP_PROTO_TCP, 40002, 80);
    facts_say(f, &others[0], ORIG, 1, "SSH-2.0-x\r\n");
    facts_say(f, &flow, ORIG, 2, "GET /first HTTP/1.1\r\n\r\n");
    facts_say(f, &others[0], RESP, 3, "SSH-2.0-y\r\n");
    CHECK_EQ(application_evicted(f->pool), 0);
    facts_say(f, &others[1], ORIG, 4, "GET /third HTTP/1.1\r\n\r\n");
    CHECK_EQ(application_evicted(f->pool), 1);
    CHECK_STR(facts_told(f), "http [1,\"GET\",\"\",\"/first\",\"1.1\",\"\",\"\",0,0,0,\"\"]");
    facts_forget(f);
    facts_say(f, &flow, RESP, 5, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK_EQ(application_evicted(f->pool), 2); /* the SSH flow's, for good */
    CHECK_EQ(others[0].application, GONE);
    CHECK(FACTS_STARTS(f, "ssh [2,\"SSH-2.0-x\",\"SSH-2.0-y\",nil"));
    CHECK(strstr(f->told, "\nhttp [1,\"\",\"\",\"\",\"\",\"\",\"\",0,200,0,\"\"]") != NULL);
    application_end(f->pool, &others[0], 9);
    application_end(f->pool, &others[1], 9);
    end();
}

/* Nobody wants the records: the service is known, and no slot is taken. */
static void test_unwanted(void)
{
    f = facts_new(2, 1u << RECORD_DNS);
    facts_flow(&flow, IP_PROTO_TCP, 40000, 80);
    facts_say(f, &flow, ORIG, 1, "GET / HTTP/1.1\r\n\r\n");
    CHECK_EQ(flow.service, SERVICE_HTTP);
    CHECK_EQ(flow.application, GONE);
    end();
}

/* Both directions lost: the slot is given back before the flow ends. */
static void test_lost(void)
{
    begin(80);
    facts_say(f, &flow, ORIG, 1, "GET /x HTTP/1.1\r\n");
    facts_say(f, &flow, RESP, 1, "HTTP/1.1 200");
    for (unsigned i = 0; i < 70; i++) {
        facts_packet_at(f, &flow, ORIG, 2, 9000 + i, "x", 1, 1);
        facts_packet_at(f, &flow, RESP, 2, 9000 + i, "x", 1, 1);
    }
    CHECK_EQ(flow.application, GONE);
    CHECK_EQ(f->events.count[EVENT_STREAM_GAP], 2);
    CHECK(strstr(f->told, "\"/x\"") != NULL);
    end();
}

/* The default pool costs what the design gives it. */
static void test_memory(void)
{
    CHECK(application_pool_bytes(512) < 3200000);
    CHECK(application_pool_bytes(1u << 20) / application_pool_bytes(1u << 10) >= 1000);
    CHECK_STR(service_name(SERVICE_TLS), "ssl");
    CHECK_STR(service_name(SERVICE_UNKNOWN), "");
}

int main(void)
{
    test_detection();
    test_byte_by_byte();
    test_first_segment_late();
    test_mid_stream();
    test_eviction();
    test_unwanted();
    test_lost();
    test_memory();
    return check_done();
}
