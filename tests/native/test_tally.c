/* Counting frames, and distinct conversations exactly. */
#include "frames.h"
#include "tally.h"

static uint32_t memory_most; /* words that take() gives at once */
static unsigned pieces;      /* given and not given back */

static uint64_t *take(uint32_t words)
{
    uint64_t *memory = words <= memory_most ? calloc(words, sizeof *memory) : NULL;

    pieces += memory != NULL;
    return memory;
}

static void give_back(uint64_t *words)
{
    pieces--;
    free(words);
}

static void begin(struct tally *t)
{
    static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    struct tally_memory memory = {take, give_back};

    CHECK(tally_init(t, LINK_RAW, key, memory));
}

static void count_cut(struct tally *t, const char *hex, uint32_t lacking)
{
    uint8_t bytes[512];
    uint32_t length = from_hex(hex, bytes);

    tally_packet(t, length, bytes, length - lacking);
}

static void count(struct tally *t, const char *hex)
{
    count_cut(t, hex, 0);
}

static void layers(void)
{
    struct tally t;

    begin(&t);
    count(&t, UDP_IP4);
    count(&t, UDP_IP6);
    count(&t, IP4("0028", "06") TCP);
    count(&t, IP4("001c", "01") "0800 0000 0001 0001");
    count(&t, IP6("0008", "3a") "8000 0000 0001 0001");
    count(&t, "ff");
    count_cut(&t, UDP_IP4, 4);
    CHECK_EQ(t.facts.frames, 7);
    CHECK_EQ(t.facts.bytes, 32 + 52 + 40 + 28 + 48 + 1 + 32);
    CHECK_EQ(t.facts.captured, t.facts.bytes - 4);
    CHECK_EQ(t.facts.ip4, 4);
    CHECK_EQ(t.facts.ip6, 2);
    CHECK_EQ(t.facts.tcp, 1);
    CHECK_EQ(t.facts.udp, 3);
    CHECK_EQ(t.facts.icmp, 1);
    CHECK_EQ(t.facts.icmp6, 1);
    CHECK_EQ(t.facts.other, 1);
    CHECK_EQ(t.facts.malformed, 1);
    CHECK_EQ(t.events.count[EVENT_IP_BAD_VERSION], 1);
    CHECK_EQ(t.facts.udp4, 1);
    CHECK_EQ(t.facts.udp6, 1);
    CHECK_EQ(t.facts.tcp4, 1);
    CHECK_EQ(t.facts.ip_pairs, 2);
    tally_end(&t);
    CHECK_EQ(pieces, 0);
}

#define SYN(sport, dport, sequence) sport dport sequence "00000000 50020400 00000000 "
#define FROM_1 "45000028 00010000 40060000 c0000201 c0000202 "
#define FROM_2 "45000028 00010000 40060000 c0000202 c0000201 "

/* Both directions are one; another sequence number in a SYN begins another conversation. */
static void conversations(void)
{
    struct tally t;

    begin(&t);
    count(&t, FROM_1 SYN("03e8", "0050", "00000001"));
    count(&t, FROM_2 "005003e8 00000009 00000002 50120400 00000000");
    count(&t, FROM_1 SYN("03e8", "0050", "00000001"));
    CHECK_EQ(t.facts.tcp4, 1);
    count(&t, FROM_1 SYN("03e8", "0050", "00000007"));
    CHECK_EQ(t.facts.tcp4, 2);
    CHECK_EQ(t.facts.tcp_tuples, 1);
    count(&t, FROM_1 SYN("03e9", "0050", "00000007"));
    CHECK_EQ(t.facts.tcp4, 3);
    CHECK_EQ(t.facts.tcp_tuples, 2);
    CHECK_EQ(t.facts.ip_pairs, 1);
    count(&t, IP4("0020", "11") "03e9 0050 000c 0000 00000000"); /* the same over UDP */
    CHECK_EQ(t.facts.tcp_tuples, 2);
    CHECK_EQ(t.facts.udp_tuples, 1);
    count(&t, IP4("0020", "11") "03e9 0051 0004 0000 00000000"); /* a header that makes no sense */
    CHECK_EQ(t.facts.udp_tuples, 2);
    CHECK_EQ(t.facts.udp4, 1);
    tally_end(&t);
}

/* An address pair is the outermost; every UDP header on the way makes a conversation; what an
 * ICMP error quotes makes none. */
static void tunnels(void)
{
    struct tally t;

    begin(&t);
    count(&t, "45000000 00010000 40110000 c6336401 c6336402 1388 0868 00000000 "
              "30ff 0020 00000001 " UDP_IP4);
    CHECK_EQ(t.facts.ip_pairs, 1);
    CHECK_EQ(t.facts.udp4, 2);
    CHECK_EQ(t.facts.udp, 1);
    count(&t, "45000000 00010000 40010000 c6336402 c6336401 0303 0000 00000000 "
              "4500001c 00010000 40110000 c6336401 c6336402 1389 0035 0008 0000");
    CHECK_EQ(t.facts.ip_pairs, 1);
    CHECK_EQ(t.facts.udp_tuples, 2);
    CHECK_EQ(t.facts.udp, 2);
    tally_end(&t);
}

#define PART(id, field) "45000020 " id field "40110000 c0000201 c0000202 " UDP

/* A fragmented datagram counts its transport once it is complete, in whatever order. */
static void fragments(void)
{
    struct tally t;

    begin(&t);
    count(&t, PART("0001", "2000"));
    count(&t, PART("0001", "2001"));
    CHECK_EQ(t.facts.udp, 0);
    count(&t, PART("0001", "0002"));
    CHECK_EQ(t.facts.udp, 1);
    count(&t, PART("0001", "0002"));
    CHECK_EQ(t.facts.udp, 1);
    CHECK_EQ(t.facts.frag, 4);
    count(&t, PART("0002", "0002"));
    count(&t, PART("0003", "2000"));
    CHECK_EQ(t.facts.udp, 1);
    count(&t, PART("0002", "2000"));
    CHECK_EQ(t.facts.udp, 2);
    count_cut(&t, PART("0004", "2000"), 2); /* never to be completed: told as it is */
    CHECK_EQ(t.facts.udp, 3);
    tally_end(&t);
}

/* Conversations i of n: 10.x.x.x:1000 > 192.0.2.1:53. */
static void count_many(struct tally *t, uint32_t n)
{
    uint8_t bytes[64];
    uint32_t length = from_hex(UDP_IP4, bytes);

    for (uint32_t i = 0; i < n; i++) {
        bytes[12] = 10;
        bytes[13] = (uint8_t)(i >> 16);
        bytes[14] = (uint8_t)(i >> 8);
        bytes[15] = (uint8_t)i;
        tally_packet(t, length, bytes, length);
    }
}

static void memory_grows(void)
{
    struct tally t;

    begin(&t);
    count_many(&t, 20000);
    count_many(&t, 20000);
    CHECK_EQ(t.facts.udp_tuples, 20000);
    CHECK_EQ(t.facts.udp4, 20000);
    CHECK_EQ(t.facts.ip_pairs, 20000);
    CHECK_EQ(t.facts.uncounted, 0);
    CHECK_EQ(pieces, 1);
    tally_end(&t);
    CHECK_EQ(pieces, 0);
}

/* Without more memory the rest goes uncounted, which is told; nothing else suffers. */
static void memory_ends(void)
{
    struct tally t;

    memory_most = 4096;
    begin(&t);
    count_many(&t, 20000);
    CHECK_EQ(t.facts.frames, 20000);
    CHECK_EQ(t.facts.udp, 20000);
    CHECK_EQ(t.facts.udp_tuples + t.facts.ip_pairs, 4096 / 4 * 3);
    CHECK_EQ(t.facts.udp_tuples + t.facts.ip_pairs + t.facts.uncounted, 40000);
    tally_end(&t);
    memory_most = 0;
    CHECK(!tally_init(&t, LINK_RAW, (const uint64_t[2]){0, 0},
                      (struct tally_memory){take, give_back}));
    tally_end(&t);
    CHECK_EQ(pieces, 0);
}

int main(void)
{
    memory_most = TALLY_SLOTS_MOST;
    layers();
    conversations();
    tunnels();
    fragments();
    memory_grows();
    memory_ends();
    return check_done();
}
