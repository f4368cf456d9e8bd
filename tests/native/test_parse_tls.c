/* TLS hellos, whole and in pieces of every size, and what is wrong with them. */
#include "facts.h"

/* A ClientHello of a browser of 2020, with GREASE: for example.org, h2 and http/1.1, TLS 1.3. */
#define SNI "0000 0010 000e 00 000b 6578616d706c652e6f7267"
#define GROUPS "000a 0008 0006 2a2a 001d 0017"
#define FORMATS "000b 0002 0100"
#define SIGNATURES "000d 0006 0004 0403 0804"
#define ALPN "0010 000e 000c 02 6832 08 687474702f312e31"
#define VERSIONS "002b 0007 06 4a4a 0304 0303"
#define RANDOM "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
#define SESSION "20 a0a1a2a3a4a5a6a7a8a9aaabacadaeafa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define CIPHERS "0008 1a1a 1301 c02f 0035"
/* type, 24-bit length, version, random, session, ciphers, compression, extensions */
#define CLIENT_BODY                                                                                \
    "0303" RANDOM SESSION CIPHERS "0100"                                                           \
    "0051 3a3a 0000" SNI GROUPS FORMATS SIGNATURES ALPN VERSIONS
#define SERVER_12 "0303" RANDOM SESSION "c02f 00 000d ff01 0001 00 0010 0004 0002 0168"
/* Computed apart, from the definitions. */
#define JA3 "f7422ec117810224018559277035291b"
#define JA3S_12 "7bee5c1d424b7e5f943b06983bb11422"
#define JA3S_13 "aa8ccc23f30f490cc666164b60a06354"
#define JA4 "t13d0306h2_3932e6226e0a_fb71836bce29"

static struct facts *f;
static struct flow flow;
static uint8_t hello[2048], answer[2048];

/* A handshake message in one record. */
static uint32_t message(uint8_t *out, uint8_t kind, const char *hex)
{
    uint32_t n = facts_hex(out + 9, hex);
    const uint8_t head[9] = {
        22,        3, 1, (uint8_t)((n + 4) >> 8), (uint8_t)(n + 4), kind, 0, (uint8_t)(n >> 8),
        (uint8_t)n};
    memcpy(out, head, sizeof head);
    return n + 9;
}

static void begin(void)
{
    f = facts_new(4, FACTS_ALL);
    facts_flow(&flow, IP_PROTO_TCP, 40000, 8443);
}

static void end(void)
{
    application_end(f->pool, &flow, 9000);
    facts_free(f);
}

static void in_pieces(enum direction direction, const uint8_t *bytes, uint32_t n, uint32_t piece)
{
    for (uint32_t at = 0; at < n; at += piece)
        facts_packet(f, &flow, direction, 1000 + at, bytes + at, n - at < piece ? n - at : piece);
}

static const char TOLD_12[] = "tls [\"TLSv12\",49199,\"example.org\",\"h\",yes,"
                              "\"" JA3 "\",\"" JA3S_12 "\",\"" JA4 "\"]";

static void test_every_piece_size(void)
{
    uint32_t n = message(hello, 1, CLIENT_BODY), m = message(answer, 2, SERVER_12);
    for (uint32_t piece = 1; piece <= n; piece++) {
        begin();
        in_pieces(ORIG, hello, n, piece);
        CHECK_STR(facts_told(f), "");
        in_pieces(RESP, answer, m, piece);
        CHECK_STR(facts_told(f), TOLD_12);
        CHECK_EQ(flow.service, SERVICE_TLS);
        facts_forget(f);
        application_end(f->pool, &flow, 9000);
        CHECK_STR(facts_told(f), "");
        facts_free(f);
    }
}

/* Records of every size: the message is spread over many of them. */
static void test_every_fragment_size(void)
{
    static uint8_t wire[4096];
    uint32_t n = message(hello, 1, CLIENT_BODY), m = message(answer, 2, SERVER_12);
    for (uint32_t size = 5; size < n; size++) {
        uint32_t used = 0;
        for (uint32_t at = 5; at < n; at += size) {
            uint32_t part = n - at < size ? n - at : size;
            const uint8_t head[5] = {22, 3, 1, (uint8_t)(part >> 8), (uint8_t)part};
            memcpy(wire + used, head, sizeof head);
            memcpy(wire + used + 5, hello + at, part);
            used += part + 5;
        }
        begin();
        in_pieces(ORIG, wire, used, 100);
        in_pieces(RESP, answer, m, 1400);
        CHECK_STR(facts_told(f), TOLD_12);
        end();
    }
}

/* Version 1.3: a retry first, then the hello proper; change_cipher_spec records between. */
static void test_retry(void)
{
    static const char retry[] = "0303 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8"
                                "339c" SESSION "1301 00 000c 0033 0002 0017 002b 0002 0304";
    static const char proper[] =
        "0303" RANDOM SESSION "1301 00 0014 0033 0004 00170000 002b 0002 0304 0029 0002 0000";
    uint32_t n = message(hello, 1, CLIENT_BODY), m = message(answer, 2, retry);
    begin();
    in_pieces(ORIG, hello, n, 1400);
    in_pieces(RESP, answer, m, 1400);
    facts_packet(f, &flow, RESP, 2000, "\x14\x03\x03\x00\x01\x01", 6);
    CHECK_STR(facts_told(f), "");
    in_pieces(ORIG, hello, n, 1400);
    m = message(answer, 2, proper);
    in_pieces(RESP, answer, m, 7);
    CHECK_STR(facts_told(f), "tls [\"TLSv13\",4865,\"example.org\",\"h2\",yes,\"" JA3
                             "\",\"" JA3S_13 "\",\"" JA4 "\"]");
    end();
}

/* A hello larger than the window: what nobody reads is passed over. */
static void test_large_hello(void)
{
    static uint8_t wire[6000];
    uint32_t n = message(hello, 1, CLIENT_BODY), m = message(answer, 2, SERVER_12);
    const uint32_t extra = 4004; /* a padding extension of 4000 bytes (RFC 7685) */
    memcpy(wire, hello, n);
    const uint8_t padding[4] = {0, 21, 4000 >> 8, 4000 & 255};
    memcpy(wire + n, padding, sizeof padding);
    for (unsigned i = 0; i < 3; i++) { /* lengths of record, message, extensions */
        static const unsigned at[3] = {3, 7, 5 + 4 + 34 + 33 + 10 + 2};
        uint32_t length = (uint32_t)(wire[at[i]] << 8 | wire[at[i] + 1]) + extra;
        wire[at[i]] = (uint8_t)(length >> 8);
        wire[at[i] + 1] = (uint8_t)length;
    }
    begin();
    in_pieces(ORIG, wire, n + extra, 1460);
    in_pieces(RESP, answer, m, 1460);
    CHECK(strstr(f->told, "tls [\"TLSv12\",49199,\"example.org\",\"h\",yes,\"") == f->told);
    CHECK(strstr(f->told, ",\"t13d0307h2_") != NULL);
    CHECK_EQ(f->events.count[EVENT_TLS_BAD_CLIENT_HELLO], 0);
    end();
}

/* The second segment first. */
static void test_reordered(void)
{
    uint32_t n = message(hello, 1, CLIENT_BODY), m = message(answer, 2, SERVER_12);
    begin();
    facts_packet_at(f, &flow, ORIG, 1, 100, hello + 100, n - 100, n - 100);
    facts_packet_at(f, &flow, ORIG, 2, 0, hello, 120, 120);
    in_pieces(RESP, answer, m, 1400);
    CHECK_STR(facts_told(f), TOLD_12);
    end();
}

static void test_unanswered_and_refused(void)
{
    uint32_t n = message(hello, 1, CLIENT_BODY);
    static const char told[] =
        "tls [\"\",0,\"example.org\",\"h2\",no,\"" JA3 "\",\"\",\"" JA4 "\"]";
    begin();
    in_pieces(ORIG, hello, n, 1400);
    CHECK_STR(facts_told(f), "");
    application_end(f->pool, &flow, 9000);
    CHECK_STR(facts_told(f), told);
    facts_free(f);
    begin();
    in_pieces(ORIG, hello, n, 1400);
    facts_packet(f, &flow, RESP, 2000, "\x15\x03\x01\x00\x02\x02\x28", 7);
    CHECK_STR(facts_told(f), told);
    facts_forget(f);
    end();
}

/* An old client's hello in SSLv2's form is not read, the server's is. */
static void test_old_hello(void)
{
    uint8_t old[64];
    uint32_t n = facts_hex(old, "802e 01 0301 0015 0000 0010 010080 020080 00002f 000035 0000ff "
                                "000004 000005" RANDOM);
    uint32_t m = message(answer, 2, "0301" RANDOM "00 002f 00");
    begin();
    facts_packet(f, &flow, ORIG, 1, old, n);
    in_pieces(RESP, answer, m, 1400);
    CHECK(strstr(f->told, "tls [\"TLSv10\",47,\"\",\"\",no,\"\",\"") == f->told);
    end();
}

static void check_event(enum direction direction, uint8_t kind, const char *hex, enum event event)
{
    uint32_t n = message(hello, 1, CLIENT_BODY), m = message(answer, kind, hex);
    begin();
    if (direction == RESP)
        in_pieces(ORIG, hello, n, 1400);
    in_pieces(direction, answer, m, 1400);
    CHECK_EQ(f->events.count[event], 1);
    if (f->events.count[event] != 1)
        printf("    %s\n", event_name(event));
    end();
}

static void test_malformed(void)
{
    static char many[4 * 300 + 600];
    check_event(ORIG, 1, "0303" RANDOM "21", EVENT_TLS_BAD_CLIENT_HELLO);
    check_event(ORIG, 1, "0303 0102", EVENT_TLS_BAD_CLIENT_HELLO);
    check_event(ORIG, 1, "0303" RANDOM "00 0003 1301 00 0100", EVENT_TLS_BAD_CLIENT_HELLO);
    check_event(ORIG, 1, "0303" RANDOM "00 0fff 1301", EVENT_TLS_BAD_CLIENT_HELLO);
    check_event(ORIG, 1, "0303" RANDOM "00 0002 1301 0100 0005 0000 0000", EVENT_TLS_BAD_EXTENSION);
    check_event(ORIG, 1, "0303" RANDOM "00 0002 1301 0100 0004 0010 0009", EVENT_TLS_BAD_EXTENSION);
    check_event(ORIG, 1, "0303" RANDOM "00 0002 1301 0100 0008 0000 0004 0001 0000",
                EVENT_TLS_BAD_EXTENSION);
    check_event(ORIG, 1, "0303" RANDOM "00 0002 1301 0100 0009 0010 0005 0003 05 6161",
                EVENT_TLS_BAD_EXTENSION);
    check_event(RESP, 2, "0303" RANDOM "00 1301", EVENT_TLS_BAD_SERVER_HELLO);
    check_event(RESP, 11, "000000", EVENT_TLS_BAD_HANDSHAKE);
    snprintf(many, sizeof many, "0303" RANDOM "00 0200");
    for (unsigned i = 0; i < 256; i++)
        strcat(many, "1301");
    strcat(many, "0100");
    check_event(ORIG, 1, many, EVENT_TLS_HELLO_TOO_LONG);
}

/* A message in records of one byte each. */
static void test_too_many_fragments(void)
{
    uint8_t byte[6] = {22, 3, 1, 0, 1, 1};
    begin();
    for (unsigned i = 0; i < 80; i++) {
        facts_packet(f, &flow, ORIG, 1 + i, byte, sizeof byte);
        byte[5] = 0;
    }
    CHECK(f->events.count[EVENT_TLS_TOO_MANY_FRAGMENTS] + f->events.count[EVENT_TLS_BAD_HANDSHAKE] +
              f->events.count[EVENT_TLS_BAD_CLIENT_HELLO] ==
          1);
    end();
}

int main(void)
{
    test_every_piece_size();
    test_every_fragment_size();
    test_retry();
    test_large_hello();
    test_reordered();
    test_unanswered_and_refused();
    test_old_hello();
    test_malformed();
    test_too_many_fragments();
    return check_done();
}
