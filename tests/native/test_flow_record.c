/* flow_record.c: every field in its place, and what is empty when it is not known.
 *
 * The classes that read these arrays are checked against them in tests/hdr_lite/sensor.
 */
#include "flow_record.h"

#include "application.h"
#include "check.h"
#include "tcp_state.h"

static const uint8_t SECRET[16] = "sixteen bytes!!";
static uint8_t buffer[RECORD_MAX];

/* The record as text, one scalar after the other: "12:5,tcp,true,". */
static const char *text_of(uint32_t length)
{
    static char text[4096];
    char *out = text;
    const uint8_t *at = buffer, *end = buffer + length;
    unsigned fields = *at == 0xdc ? (unsigned)at[1] << 8 | at[2] : *at & 15u;
    at += *at == 0xdc ? 3 : 1;
    out += sprintf(out, "%u:", fields);
    while (at < end) {
        unsigned width = *at >= 0xcc && *at <= 0xcf ? 1u << (*at - 0xcc) : 0;
        uint64_t value = *at;
        if (*at < 0x80 || width > 0) {
            if (width > 0)
                value = 0;
            for (unsigned i = 1; i <= width; i++)
                value = value << 8 | at[i];
            at += 1 + width;
            out += sprintf(out, "%llu,", (unsigned long long)value);
        } else if (*at == 0xc2 || *at == 0xc3) {
            out += sprintf(out, "%s,", *at++ == 0xc3 ? "true" : "false");
        } else {
            unsigned size = *at & 31u;
            out += sprintf(out, "%.*s,", (int)size, (const char *)at + 1);
            at += 1 + size;
        }
    }
    return text;
}

static struct flow sample(uint8_t proto)
{
    struct flow flow = {.start = 1000, .last = 3500, .vlan = 5, .interface = 2, .has_mac = true};
    flow.key.proto = proto;
    flow.key.sport = 40000;
    flow.key.dport = 443;
    memcpy(flow.key.src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
    memcpy(flow.key.dst, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    memcpy(flow.side[ORIG].mac, "\2\0\0\0\0\1", 6);
    flow.side[ORIG].first_flags = TCP_SYN;
    flow.side[ORIG].packets = 3;
    flow.side[ORIG].payload_bytes = 10;
    flow.side[ORIG].ip_bytes = 130;
    strcpy(flow.history, "S");
    flow.history_length = 1;
    return flow;
}

/* The text behind the uid, which other tests check. */
static const char *behind_uid(const char *text)
{
    const char *at = strstr(text, "1000,C");
    CHECK(at != NULL);
    return at == NULL ? "" : at + strlen("1000,C12345678901234567,");
}

static void test_conn_and_fate(void)
{
    struct flow flow = sample(IP_PROTO_TCP);
    const char *text = text_of(flow_record_conn(buffer, &flow, SECRET));
    CHECK(strncmp(text, "12:1000,C", 9) == 0);
    CHECK_STR(behind_uid(text), "10.0.0.1,40000,2001:db8::1,443,tcp,2,02:00:00:00:00:01,,5,2,");
    flow.fate = FATE_REFUSED;
    text = text_of(flow_record_fate(buffer, &flow, SECRET, 20));
    CHECK(strncmp(text, "14:1000,C", 9) == 0);
    CHECK_STR(behind_uid(text),
              "10.0.0.1,40000,2001:db8::1,443,tcp,2,refused,20,02:00:00:00:00:01,5,2,false,");
    flow.fate = FATE_ANSWERED;
    CHECK(strstr(text_of(flow_record_fate(buffer, &flow, SECRET, 18)), ",answered,18,") != NULL);
    flow.fate = FATE_LEFT;
    flow.handshake = true;
    text = text_of(flow_record_fate(buffer, &flow, SECRET, 0));
    CHECK(strstr(text, ",left,0,02:00:00:00:00:01,5,2,true,") != NULL);
    flow.fate = FATE_UNANSWERED;
    CHECK(strstr(text_of(flow_record_fate(buffer, &flow, SECRET, 0)), ",unanswered,0,") != NULL);
}

static void test_flow(void)
{
    struct flow flow = sample(IP_PROTO_TCP);
    flow.side[ORIG].state = TCP_END_SYN_SENT;
    flow.service = SERVICE_TLS;
    flow.handshake = true;
    const char *text = text_of(flow_record_flow(buffer, &flow, SECRET, END_RESOURCES, NULL));
    CHECK(strncmp(text, "25:1000,C", 9) == 0);
    CHECK_STR(behind_uid(text), "10.0.0.1,40000,2001:db8::1,443,tcp,ssl,2500,10,0,S0,S,3,0,130,0,"
                                "02:00:00:00:00:01,,5,2,resources,true,,0,");
}

static void test_outside(void)
{
    struct flow flow = sample(IP_PROTO_TCP);
    struct tracking tracking = {.translated = true, .outside_port = 50000};
    memcpy(tracking.outside, flow.key.src, 16);
    const char *text = text_of(flow_record_flow(buffer, &flow, SECRET, END_IDLE, &tracking));
    CHECK(strstr(text, ",idle,false,10.0.0.1,50000,") != NULL);
}

static const char *state_of(uint8_t proto, uint32_t orig, uint32_t resp)
{
    static char state[8];
    struct flow flow = sample(proto);
    flow.side[ORIG].packets = orig;
    flow.side[RESP].packets = resp;
    const char *at =
        strstr(text_of(flow_record_flow(buffer, &flow, SECRET, END_IDLE, NULL)), ",10,0,");
    CHECK(at != NULL);
    sscanf(at == NULL ? "" : at + 6, "%7[^,]", state);
    return state;
}

static void test_states_without_tcp(void)
{
    CHECK_STR(state_of(IP_PROTO_UDP, 1, 0), "S0");
    CHECK_STR(state_of(IP_PROTO_UDP, 1, 1), "SF");
    CHECK_STR(state_of(IP_PROTO_UDP, 0, 1), "SHR");
    CHECK_STR(state_of(IP_PROTO_ICMP, 1, 1), "OTH");
    CHECK_STR(state_of(IP_PROTO_ESP, 1, 1), "OTH");
}

static void test_protocols(void)
{
    struct flow flow = sample(IP_PROTO_ICMP6);
    flow.icmp_type = 128;
    CHECK(strstr(text_of(flow_record_conn(buffer, &flow, SECRET)),
                 "10.0.0.1,128,2001:db8::1,0,icmp6,") != NULL);
    flow = sample(IP_PROTO_SCTP);
    CHECK(strstr(text_of(flow_record_conn(buffer, &flow, SECRET)), ",443,132,") != NULL);
}

static struct attempts_sum sum(enum attempts_role role, uint8_t differs)
{
    struct attempts_sum s = {.first = 1, .last = 9, .attempts = 70, .refused = 60};
    s.unanswered = 10;
    s.addresses = 50;
    s.ports = 3;
    s.role = (uint8_t)role;
    s.differs = differs;
    memcpy(s.sample.src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
    memcpy(s.sample.dst, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\2", 16);
    memcpy(s.sample.mac, "\2\0\0\0\0\1", 6);
    s.sample.port = 22;
    s.sample.proto = IP_PROTO_TCP;
    s.sample.flags = TCP_SYN;
    s.sample.interface = 1;
    return s;
}

static void test_attempts(void)
{
    struct attempts_sum s = sum(ROLE_SOURCE, 0);
    CHECK_STR(text_of(flow_record_attempts(buffer, &s)),
              "15:1,9,source,10.0.0.1,10.0.0.2,22,tcp,2,70,60,10,50,3,02:00:00:00:00:01,1,");
    s = sum(ROLE_TARGET, 0xff);
    CHECK_STR(text_of(flow_record_attempts(buffer, &s)), "15:1,9,target,,,0,,0,70,60,10,50,3,,1,");
    s = sum(ROLE_SOURCE, FIELD_SRC); /* an IPv6 /64: named by one of its addresses */
    CHECK(strstr(text_of(flow_record_attempts(buffer, &s)), ",source,10.0.0.1,") != NULL);
}

static void test_arp(void)
{
    struct packet p = {.ts = 7, .has_mac = true, .vlan = 3, .interface = 1};
    memcpy(p.smac, "\2\0\0\0\0\1", 6);
    memcpy(p.arp.sender_ip, "\x0a\0\0\1", 4);
    p.arp.operation = 2;
    CHECK_STR(text_of(flow_record_arp(buffer, &p)),
              "10:7,reply,00:00:00:00:00:00,10.0.0.1,00:00:00:00:00:00,0.0.0.0,"
              "02:00:00:00:00:01,,3,1,");
    p.arp.operation = 8;
    CHECK(strstr(text_of(flow_record_arp(buffer, &p)), "10:7,8,") != NULL);
}

int main(void)
{
    test_conn_and_fate();
    test_flow();
    test_outside();
    test_states_without_tcp();
    test_protocols();
    test_attempts();
    test_arp();
    return check_done();
}
